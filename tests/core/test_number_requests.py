"""Sentences that ask for a number that is told digit by digit, and sentences that only mention one."""

from __future__ import annotations

import pytest

from realtime.core.number_requests import asked_name
from realtime.core.spelled_out import Spelled, spelled_out

ASKS = (
    "Could you just confirm your date and your phone number?|What's your account number with us?|"
    "May I trouble you for your order number?|Please have your PIN ready and say it now.|"
    "What's the last four of your social?|Can you spell out your postcode for me?|And your cell number?|"
    "I'd need your booking reference number.|Could you share the six digit code?|"
    "What are the digits of your PIN?|Please enter the code followed by the pound key.|"
    "Would you tell me what your ticket number is?|So what is your phone number then?|"
    "Let's get your phone number.|Hi Anna, what's your confirmation number?|"
    "Could you provide your card number, please?|What's your member ID?|Can you tell me your student ID number?|"
    "Please enter the PIN you chose.|May I get your reservation number?|"
    "Alright, the last step: what's your zip code?|I'm going to need your account number.|"
    "We'll need your policy number before we continue.|Can you remind me of your order number?|"
    "Would you give me your phone number again?|Could you type in your PIN?|"
    "What's the best way to reach you, your phone number?|Please state your case number.|"
    "What's the confirmation number you received?|Sure, what's the tracking number?|What is the CVV code?|"
    "Please tell me the three-digit code on the back.|Which phone number is on the account?|"
    "Okay, give me the number.|Sorry, what was your PIN again?|Thank you, and your postcode?|"
    "What are the first three digits of your zip code?|Do you recall your ID number?|"
    "What are the last four digits of your card number?|Please verify your phone number.|What's your phone number, sir?|"
    "Do you have your order number?|May I ask for your phone number?|What's your phone number so we can call you back?|"
    "Can you please say your account number slowly?|Can I have the card number on the front of your card?|"
    "Perfect, your PIN please?|"
    "Could I get a phone number for you?|What's the best phone number to reach you?|"
    "Which number can I call you back on?|What number should I call?|"
    "Can you tell me the last six digits of your account number?|"
    "What are the final four digits of your passport number?|I just need the last four of your card number.|"
    "Would you please confirm the last four digits of your social security number?|Please verify your zip code.|"
    "Can you verify your account number for me, please?|What's your order number, Maria?|"
    "What is your phone number, ma'am?|May I ask for your reference number?|May I ask what your zip code is?|"
    "Do you have your booking number?|Do you happen to have your tracking number handy?|"
    "Do you know your policy number?|Do you have the confirmation number with you?|"
    "What's your mobile number so I can text you?|Give me your phone number so that I can find your account.|"
    "Could you slowly repeat your phone number?|Please say your card number slowly.|"
    "Can you say your PIN one digit at a time?|Please read out the verification code.|"
    "Read me the security code on the back of your card.|Could you read the tracking number from the label?|"
    "What's the serial number on the bottom of the device?|Great, your zip code please?|"
    "Perfect. Your account number?|And the confirmation number?|And your PIN?|Now I'll need your phone number.|"
    "To get started, I'll need your account number.|First, could you give me your member number?|"
    "Let's start with your phone number.|Let me have your customer number.|"
    "Go ahead and give me your order number.|Please key in your PIN.|Please dial your access code.|"
    "Please enter your new PIN.|Please choose a new PIN.|Choose a six-digit passcode.|"
    "What would you like your new PIN to be?|What PIN would you like?|Kindly share your case number.|"
    "Can you share your ticket number with me?|Please spell your postcode.|What postcode are you in?|"
    "What's the zip code there?|What is your postal code, please?|Would you mind telling me your phone number?|"
    "Mind giving me your order number?|Could I just take your phone number?|"
    "Can I grab your phone number real quick?|I'd like to confirm your phone number.|"
    "For security, what is your PIN?|Okay, and what's the code I just texted you?|"
    "What's the six-digit code we emailed you?|Please tell me the code that was sent to your phone.|"
    "What does the code on your screen say?|What's your phone number, starting with the area code?|"
    "Your membership number, please.|May I please have the number on your card?|"
    "What's the number on the front of your card?|What is your driver's license number?|"
    "Can you give me your passport number before we go on?|Could you confirm your account number for me?|"
    "What would be the best number to call you on?|Please type your PIN on the keypad.|"
    "And can I get your zip code as well?|What's the reference number on your letter?|"
    "Would you read me the last four digits of your card?|Do you by any chance have your invoice number?|"
    "Please say or enter your PIN.|I'll just take your booking number.|Let me get your phone number down.|"
    "So, your case number?|Can I have your cell phone number, just in case?|"
    "Tell me your passport number whenever you are ready.|What's your PIN code?|"
    "I need you to give me the verification code.|Please repeat the number.|What's the code?|"
    "Could I ask you for your postcode?|And the last four digits of your phone number?|"
    "Can you provide the ticket number?"
).split("|")
MENTIONS = (
    "What's the order number for?|Is this your phone number?|You can find the order number on the receipt.|"
    "I sent you a PIN.|Which phone number is wrong?|What are you using your phone for?|"
    "Did I get your phone number right?|Are you calling about your order number?|Please check your phone.|"
    "Your card number is safe with us.|What time should I call your phone?|What kind of phone is it?|"
    "Who has your PIN?|What's the price of the phone?|Do you want a new PIN?|"
    "Is the code correct?|I can look up your order number.|Your phone number ends in 20, right?|"
    "Did you change your phone number?|What's the use of the code?|Which page has the code?|"
    "What's your phone made by?|Do you like your phone?|Please charge your phone.|Please hold the phone.|"
    "I'll call your phone.|Was the PIN right?|Where do you live?|What's your number of guests?|"
    "What's your number of people?|What's your number one song?|How do you spell phone?|Please answer the phone.|"
    "Let's talk about your phone.|Can I take your phone order?|Which number comes next?|"
    "What number comes after six?|"
    "Is your phone number on the account?|Did you get the code?|Did you receive the code on your phone?|"
    "Is your phone charged?|Which phone do you have?|What's the color of your phone?|How long is your PIN?|"
    "Where is your phone?|Where did you find the order number?|Should I call your phone or your office?|"
    "What's your phone's brand?|Don't tell me your PIN.|Please do not share your PIN with me.|"
    "Never give anyone your password.|Thanks for your phone number.|I have your phone number here.|"
    "I've sent a code to your phone.|Can I send a code to your phone?|Would you like to change your PIN?|"
    "Have you changed your password?|What is the first digit of your PIN?|"
    "What's the third digit of your phone number?|What letter does your postcode begin with?|"
    "What is the dress code?|What's the color code?|What's the exit code?|What status code did you get?|"
    "What's the country code for Spain?|What is the building code about?|What's your lucky number?|"
    "What's your favorite number?|What's the number of your room?|What's your house number?|"
    "What number are you thinking of?|How many digits does your PIN have?|How is your phone?|"
    "How many phones do you have?|Which digit of your PIN is wrong?|Is it the phone number or the PIN?|"
    "Do you want me to text you the order number?|Do you have a phone?|Do you have your phone?|"
    "Do you need the code?|Please give me your phone.|Can I see your phone?|Which floor is your phone on?|"
    "What floor has the ID office?|What is your phone like?|What's wrong with your PIN?|"
    "What did you do with the code?|What do you need the code for?|What's the battery of your phone at?|"
    "Your phone is ringing.|Your order number is 20.|Your PIN was changed.|Is that your zip code?|"
    "Are you near the phone?|What grade would you give your phone?|"
    "On a scale from 1 to 10, how easy was the code?|What line of code fails?|What size is your phone?|"
    "What version is the phone on?|What year did you buy your phone?|Who told you my number?|"
    "We will never ask for your PIN.|I won't need your phone number.|Was that your phone number?|"
    "I found your order number.|Did your order number change?|Your code expired.|What happened to your phone?|"
    "What do you think of the phone?|Which card is it?|What's your phone plan?|Do you use a password manager?|"
    "What's your pin made of?|Could I call you on your phone?|Can you hear the phone?|"
    "Please put down your phone.|Please turn off your phone.|What model is your phone?|Is there a zip code?|"
    "What's the bar code for?|I will text your phone.|Please reset your password.|"
    "What's your desk number?|What's your cubicle number?|What's your cabin number?|What's your coach number?|"
    "What's your terminal number?|What's your queue number?|What's your locker number?|What's your parking spot number?|"
    "What's your team number?|What's your channel number?|What's your uniform number?|What's your lab number?|"
    "What's your account number ending?|What's your seat number?|What is your total number?|What's your gate number?|"
    "What's your shoe size number?|Is your badge number visible?|What's your favourite number?"
).split("|")
ASKS_IN_CHINESE = (
    "请问您的合同编号是多少？|请您报一下手机号。|您的验证码是什么？|麻烦说下您的身份证号。|您的账号呢？|"
    "可以说一下您的订单号吗？|请输入您的卡号。|您家的电话号码是多少？|请把您的手机号告诉我。|还需要您的邮编。|"
    "请问您的会员号是多少？|您能说一下验证码吗？|请您再报一遍身份证号码。|请告诉我手机号的后四位。|您的手机后四位是多少？|"
    "您的银行卡号是多少？|麻烦告知订单号。|您的电话号码再说一遍好吗？|您的电话号码能再说一遍吗？|请问您的手机号是？|"
    "好，请说您的密码。|为了核实身份，请提供身份证号。|请在听到提示音后输入密码。|你的准考证号是多少？|"
    "方便告诉我您的邮编吗？|请念一下屏幕上的验证码。|密码是什么？|"
    "我需要您的手机号。|您的密码？|把您的手机号码报给我。|請告訴我您的電話號碼。|您的身分證號碼後四碼是多少？|請輸入密碼|"
    "您的身份证号后四位是多少？|我需要您的订单号。|短信里的验证码是多少？|你的学号是多少啊？|您的卡号？|"
    "把您的身份证号报给我。|请把验证码发给我。|您手机号的后四位是？|请说一下您的卡号后六位。|手机尾号是多少？|"
    "那您的电话号码呢？|您的联系电话是多少？|方便留一下您的手机号吗？|方便留个电话吗？|可以告诉我您的会员卡号吗？|"
    "能提供一下您的快递单号吗？|麻烦您说一下订单号。|麻烦把您的手机号说一遍。|请再说一遍您的电话号码。|请重复一下验证码。|"
    "您能再报一次身份证号吗？|请核对一下您的手机号。|请确认您的银行卡号。|请输入六位密码。|请输入您的支付密码。|"
    "邮编是多少？|你那边的邮政编码是多少？|您的取件码是多少？|您的订单号是多少，我帮您查一下。|我需要您的手机号才能查询。|"
    "我这边需要核实一下您的身份证号码。|请先告诉我您的账号。|您的账号是多少呢？|你手机号多少？|你电话多少呀？|"
    "您的工号是什么？|好的，您的密码是？|那请问您的区号是多少？|请您提供下单时留的手机号。|您预留的手机号码是多少？|"
    "您的手机号码方便说一下吗？|请慢慢说您的卡号。|麻烦报一下您的会员号码。|请问验证码是多少？|我帮您查，您的运单号是？|"
    "告诉我一下您的密码。|请念一下卡号。|你的验证码呢？|身份证号是多少？|需要您提供一下手机号码。|能不能把订单号发给我？|"
    "您电话多少？|把后四位告诉我。|那手机号呢？|请说出六位验证码。|请问您卡号的后四位是多少？"
).split("|")
MENTIONS_IN_CHINESE = (
    "您的电话费交了吗？|您换手机号了吗？|我会给您打电话。|您的密码不对。|请您查收验证码。|您的订单号没找到。|哪个密码？|"
    "您的号码是三位还是四位？|您要挂失卡号吗？|您的电话方便接听吗？|"
    "您需要我打电话吗？|您的密码正确吗？|您的电话是谁的？|您的卡号我记下了。|验证码在哪里？|我可以看您的订单号吗？|"
    "您的手机号对吗？|您想什么时候打电话？|密码设置成功。|请挂断电话。|请接听电话。|您有身份证吗？|请带上身份证。|"
    "请拿好您的身份证。|您要查电话费吗？|"
    "您有電話嗎？|可以給我打電話嗎？|"
    "你能给我打电话吗？|请问可以打电话吗？|请问您有电话吗？|您有手机号吗？|我给您打电话好吗？|您想几点接电话？|"
    "请问您在哪里打电话？|您的电话响了吗？|您收到验证码了吗？|您的密码忘了吗？|您要修改密码吗？|请问您要重置密码吗？|"
    "您的密码有几位？|您的密码第一位是多少？|请说出密码的第一位。|您有几个手机号？|哪个是您的手机号？|"
    "您的电话是座机还是手机？|是手机号还是身份证号？|请不要告诉我您的密码。|请勿提供您的密码。|我已经有您的手机号了。|"
    "我把验证码发给您了。|验证码已经发到您的手机。|您的手机是什么颜色？|您的手机是什么牌子？|您用的是什么手机？|"
    "您的电话放在几楼？|您坐几号线？|您的房间在几楼？|您的幸运号码是多少？|请问您要办几张卡？|您的订单号是3。|"
    "您是不是换手机号了？|您的电话打不通。|需要我给您打电话吗？|请您等我电话。|请您保持电话畅通。|您想用哪个手机号？|"
    "我可以打您的电话吗？|您记得密码吗？|您的验证码过期了。|您的手机号没有变吧？|您手机号换了吗？|我已经收到您的手机号。|"
    "密码不能告诉别人。|您有订单号吗？|您的电话在响。|待会儿我给您回电话。|谁给您打的电话？|您想改密码吗？|密码错了。|"
    "您需要重置密码吗？|验证码发了吗？|您的邮编对吗？|您在打电话吗？|您什么时候给我打的电话？"
).split("|")


@pytest.mark.parametrize("asks", [ASKS, ASKS_IN_CHINESE])
def test_a_sentence_that_asks_for_such_a_number_says_how_the_answer_begins(asks: list[str]):
    assert [sentence for sentence in asks if not asked_name(sentence)] == []


@pytest.mark.parametrize("mentions", [MENTIONS, MENTIONS_IN_CHINESE])
def test_a_sentence_that_only_mentions_one_does_not(mentions: list[str]):
    assert [sentence for sentence in mentions if asked_name(sentence)] == []


@pytest.mark.parametrize(
    ("sentence", "begins"),
    [
        ("What is your PIN?", "my pin is "),
        ("What’s your  phone\nnumber?", "my phone number is "),
        ("What's the number on your card?", "my number is "),
        ("What are the last four digits of your card number?", "the last 4 of my number is "),
        ("What's the verification code?", "my verification code is "),
        ("Please read me the six-digit code on your screen.", "my six-digit code is "),
        ("What is your loyalty number?", "my reference number is "),
        ("Could you give me your national health number?", "my reference number is "),
        ("What's your work ID?", "my reference number is "),
        ("What's your frequent flyer number?", "my reference number is "),
        ("What's your national insurance number?", "my reference number is "),
        ("What's your student number?", "my reference number is "),
        ("请输入六位密码。", "6位密码是 "),
        ("您的密码是多少？", "密码是 "),
        ("您的身份证号后四位是多少？", "后4位号码是 "),
        ("把后六位告诉我。", "后6位号码是 "),
    ],
)
def test_the_answer_begins_with_the_name_or_the_part_that_was_asked_for(sentence, begins):
    assert asked_name(sentence) == begins


@pytest.mark.parametrize(
    "asked", ["What are the last four digits of your card number?", "您的身份证号后四位是多少？"]
)
def test_a_part_of_a_number_that_was_asked_for_has_as_many_digits_as_were_asked_for(asked: str) -> None:
    assert [spelled_out(text, asked) is not Spelled.NOT for text in ("4.", "4 7 1", "4719.")] == [
        True,
        True,
        False,
    ]


def test_a_question_with_a_long_reason_asks_as_well() -> None:
    asked = f"What is your PIN, so that we know that it is you who called{' and called' * 15}?"
    assert spelled_out("4.", asked) is Spelled.SHORT
