"""Where a number or a name that is told digit by digit, or letter by letter, may go on."""

import pytest

from realtime.core.spelled_out import Spelled, spelled_out

OPEN = (
    "My number is 079.|079|941.|415.|020.|JOH.|J-O-H.|S-M-I.|J. O. H.|It is spelled S, M, I.|"
    "It is spelled as m i.|It is spelled as mi.|It is spelled JOH.|B as in Bob, A, K.|B as in Bob.|"
    "A for Alpha.|138-2256。|138-2256|My number is 0.2.0.|My number is 020.|It is 415.|"
    "My zip code is 941.|Call me at 079.|Call me at 941|five five two|My number is five, five, two.|"
    "1, 2, 3.|Call 5 5 5|我的号码是一三五。|我的电话号码是138|我的电话号码是138。|一三八，二二五六|零二一，|零二一|验证码是257。|256,7890|2567890|"
    "256-7890|5-6-7-12-3-4|四零零八二零|Okay, 941.|Um, 079.|It's 079, 418.|079-418.|"
    "My number is double five two.|二二五六|我的号码是400|my phone number is 079|号码是一三八 二二五六|555.1234|s-m-i|"
    "Flight B A 2 4 9|０７９|Sure, it's 415.|My order number is 415.|941,415.|The code is 257.|"
    "He said 0 4 1.|My number's 415|我的電話號碼是138|Meine Nummer ist 415.|Mon numéro est 415.|電話番号は090|1-800|"
    "My PIN is 4.|My P.I.N. is 4.|My pin code is 4.|My PIN is 4. 7.|my pin is four,|My PIN is 4.7.|My PIN number is 47.|My phone number is 20.|"
    "My phone number is 42. 17.|My phone number is 5, 5.|My phone number's 6|Her mobile number is, um, 7.|The code is 12.|"
    "The code for the front door is 4.|My zip code is 9 0.|My card number is 45 32.|My password is 7.|My account number is 1.|"
    "My order number is 2.|My postcode is S.|My postcode is S, W, 1.|My phone number is 10, 30.|验证码是4。|"
    "验证码是47。|我的电话是13。|密码是一，|我的手机号是一三，|邮编是1|我的卡号是6|我的密码是，嗯，四。|"
    "驗證碼是257|내 번호는 415|我的电话号码是一三吧。|号码是 1 3 我|尾号是668|身份证后四位123。|后六位是1234|The last four digits are 123."
)
WHOLE = (
    "4.|7.|42. 17.|I have 4.|My lucky number is 7.|My favorite number is 42.|The room number is 12.|My house number is 9.|"
    "The exit code is 1.|Error code is 5.|The country code is 44.|My phone is 5 years old.|My PIN is 4719.|My PIN is 19 84.|My PIN number is 4719.|The code for the front door is 2578.|My passcode is 4719.|My post code is 94107.|My PIN is 4, 7, 1, 9.|"
    "Call me at 10.|My phone costs 40.|I lost my phone in 2.|My bus is the 12.|My name is A.|My grade is A.|"
    "我的幸运号码是7。|我有两个。|验证码是4719。|我的手机号是13822567890。|这是第一。|"
    "It costs 350.|I was born in 1984.|room 212|Room 212.|In 1984.|It is 10 30.|It's 350.|1984.|3000.|"
    "since 2020|$350|It costs $1,250.|10,000.|12,345,600|May 5, 2024.|on 2024-05-12|05.12.2024|at 10:30|"
    "It is 3.14159.|19.99|0.75|八点零五|三百零五|My number is 415-555-2671.|4155552671.|13822567890|"
    "138 2256 7890|我的电话号码是13822567890。|The answer is 415.|350加280等于630|My zip code is 94107.|"
    "My area code is 415.|The code is 2578.|I live in the U.S.|at 5 p.m.|at 7 a.m|Plan B.|So do I.|"
    "vitamin C|BA249|the phone costs 350|一共350|There are 350.|Turn to page 212.|the room number is 212|"
    "room number 212.|1985|NASA is big|No.|五百|二十三|第一|我要一个|今天是2024|from 9 to 5|version 3.5|"
    "I want this one.|no one.|ten|Error code 404.|World War I|Can you spell NASA.|It's 2026.|A|OK|OK.|"
    "e-mail|x-ray|T-shirt|a TV|Call 911.|拨打110|打120|I like Paris.|I like Pizza|STOP.|O-K.|O.K.|"
    "from 2019-2020|2019 2020|F-150|Boeing 747.|My cell phone broke in 1984.|WHAT.|uh-huh|fine t-t.|一共三十二吧|现在是2024吧|三块二吧|"
    "the room number is 212|尾号是6688|手机尾号6688。|身份证后四位1234。|卡号的最后四位是 1 2 3 4|后六位是123456|The last four digits are 1234.|"
    "The last four of my card number are 1 2 3 4"
)


@pytest.mark.parametrize("text", OPEN.split("|"))
def test_groups_of_digits_and_letters_may_go_on(text: str) -> None:
    assert spelled_out(text) is not Spelled.NOT


@pytest.mark.parametrize("text", WHOLE.split("|"))
def test_amounts_years_dates_times_and_whole_numbers_do_not(text: str) -> None:
    assert spelled_out(text) is Spelled.NOT


@pytest.mark.parametrize(
    ("asked", "text", "goes_on"),
    [
        ("What is your PIN?", "4.", True),
        ("What is your PIN?", "four, seven,", True),
        ("What is your PIN?", "4719.", False),
        ("Sure. Please tell me your phone number.", "42.", True),
        ("What's your number?", "5.", True),
        ("Could you give me the code we sent you?", "4.", True),
        ("What is your postcode?", "S.", True),
        ("请告诉我您的手机号。", "四。", True),
        *(
            (question, answer, True)
            for question in (
                "And what's your phone number, please?|May I have your order number?|Could I please get your account number?|"
                "Please enter the six-digit verification code.|I'll need your PIN.|And your phone number?|Your PIN, please.|"
                "Can you tell me what your zip code is?|What is the security code on the card?|What is your phone?|"
                "您的单号是多少？|请说一下您的电话号码。|请输入验证码|麻烦您报一下身份证号码。|您的手机号呢？|您的电话号码多少？|請告訴我您的電話號碼。|"
                "能告诉我您的银行卡号吗？|请提供您手机收到的六位验证码。|您的密码是什么？|把您的电话告诉我一下。|请问您的订单号是？|请问您的手机号？|What's your number?"
            ).split("|")
            for answer in ("4.", "四")
        ),
        *(
            (question, answer, False)
            for question in (
                "What is your number one choice, A or B?|Which line of the code has the error?|Is the phone in room 1 or 2?|"
                "Would you like the first code or the second code?|Which day should I put your order number on?|"
                "What's your phone's battery level in percent?|Is it for your phone?|On a scale from 1 to 10, was the phone easy to use?|"
                "What floor is the phone on?|Which option, the ticket number or the ID?|What grade would you give your phone?|"
                "What is the first digit of your PIN?|What is the best phone?|What is the error in the code?|Is that your PIN?|"
                "What is the length of your phone number?|Which of them is your PIN?|I have your phone number.|What's the number?|What do you want the phone number for?|"
                "您的电话响了几声？|你的手机号码是第一个还是第二个？|哪个是您的手机号？|您的电话放在几楼？|告诉我第几个是您的手机号。|您的验证码收到了吗？"
            ).split("|")
            for answer in ("3.", "B.")
        ),
        *(
            ("What is your PIN?", answer, True)
            for answer in ("It's 4.", "Sure, it is 4, 7.", "Um, four.", "Okay. 47.")
        ),
        *(("您的验证码是多少？", answer, True) for answer in ("嗯，四。", "好的，是四七", "是4。")),
        ("What is your PIN?", "So 4 of us.", False),
        ("How many?", "It's 4.", False),
        ("How many?", "4.", False),
        ("What is your PIN? How many digits has it?", "4.", False),
        ("Thank you for your PIN. And your age?", "42.", False),
        ("What is your lucky number?", "7.", False),
        ("What is the number of your room?", "12.", False),
        ("您的密码有几位？", "四。", False),
        ("What is your PIN?", "No.", False),
        ("What is your PIN?", "I have 4.", False),
        ("", "4.", False),
    ],
)
def test_the_first_digit_alone_may_go_on_where_such_a_number_was_asked_for(asked, text, goes_on) -> None:
    assert (spelled_out(text, asked) is not Spelled.NOT) is goes_on


@pytest.mark.parametrize(
    ("asked", "text", "short"),
    [
        ("", "My phone number is 138.", True),
        ("", "My number is 138, 2256.", True),
        ("", "My phone number is 138 2256 7890", False),
        ("", "我的电话是138-2256，", True),
        ("", "Meine Nummer ist 079.", True),
        ("", "Mi número es 612.", True),
        ("", "Mon numéro est le 06.", True),
        ("", "Мой номер 916.", True),
        ("", "Die Hausnummer ist 12.", False),
        ("What is your phone number?", "138.", True),
        ("What is your phone number?", "Sure, it's 138 2256", True),
        ("What is your phone number?", "13822567890.", False),
        ("请说一下您的手机号。", "一三八", True),
        ("What is your PIN?", "47", True),
        ("What is your PIN?", "4719", False),
        ("What is your card number?", "6222 0212 34", True),  # as many as a telephone number has
        ("您的卡号是多少？", "6222021234567890", False),
        ("请说一下您的身份证号。", "1101051990", True),
        ("What is your order number?", "47", True),
        ("What is your order number?", "47291", False),  # nobody knows how many it has
        ("What is your zip code?", "941", True),
        ("", "The last four digits are 123.", True),
        ("", "941.", False),
        ("", "It costs 350.", False),
        ("How many?", "4", False),
        # As many as some such numbers have
        ("What's your postcode?", "It's 2000.", False),
        ("What is your zip code?", "It's 1010.", False),
        ("What's your postcode?", "It's 200.", True),
        ("What's the code?", "It's 123.", False),
        ("What's the code?", "It's 12.", True),
        ("", "My verification code is 257.", True),
        *(
            (f"What's the {code} code?", "It's 257.", True)
            for code in ("verification", "one-time", "login", "access")
        ),
        ("What's the verification code?", "2578.", False),
        ("What's the six digit code?", "2578.", True),
        ("What's the six digit code?", "257814.", False),
        ("请问六位验证码是多少？", "二五七八", True),
        ("验证码是多少？", "257", True),
        ("What's the security code on your card?", "It's 257.", False),
        ("What's your account number?", "It's 12.", True),
        ("What's your employee number?", "It's 12.", True),
        ("What's your employee number?", "47291.", False),
        ("What is your mobile number?", "It's 9123 4567.", False),
        ("What is your mobile number?", "It's 9123 456.", True),
        ("您的手机号是多少？", "138-2256", True),
        ("", "My apartment number is 305.", False),
        ("", "The number is 350.", False),
    ],
)
def test_a_number_that_was_named_or_asked_for_is_short_of_its_digits(asked, text, short):
    assert (spelled_out(text, asked) is Spelled.SHORT) is short
