"""Which texts take one of what a question offers."""

import pytest

from realtime.core.choices import takes_choice
from realtime.core.completeness import Completeness, completeness_of

TAKES = (
    ("Beef, chicken or fish?", "beef|chicken|fish|the fish|i'll have the chicken|fish please|just beef"),
    ("Would you like a single or a double room?", "single|a double room|the double room|a single, please"),
    ("Do you need it today or tomorrow?", "today|tomorrow|tomorrow would be great"),
    ("Is that for here or takeaway?", "takeaway|here|for here"),
    ("Boston or New York?", "boston|new york"),
    ("Before or after lunch?", "before|after|after lunch"),
    ("Is it before lunch or after lunch?", "before|after"),
    ("With or without sugar?", "with|without"),
    ("Do you prefer red wine or white wine?", "red|white|white wine"),
    ("Vanilla ice cream or chocolate ice cream?", "vanilla|chocolate|chocolate ice cream"),
    ("Is that one ticket or two tickets?", "one|two|two tickets"),
    ("Would you like to cancel it or keep it?", "keep it|cancel it"),
    ("Do you want a one bedroom or a two bedroom?", "one|two"),
    ("Do you mean Robert Smith or John Smith?", "robert|john smith"),
    ("Is it forty one or forty two?", "forty one|forty two"),
    ("Tea with milk or tea with lemon?", "tea with milk|milk|lemon"),
    ("Do you want to pay now or later?", "now|later"),
    ("Should I send it by mail or by courier?", "by mail|courier|by courier please"),
    ("How would you like it, hot or iced?", "hot|iced|iced please"),
    ("单人间还是双人间？", "单人间|双人间吧|我要双人间|单人"),
    ("您是坐飞机还是坐火车？", "坐火车|火车|飞机吧|飞机"),
    ("您要大杯还是小杯？", "大杯|小杯吧|我要小杯"),
    ("请问您要热的还是冰的？", "热的|冰的吧"),
    ("您想坐前排还是后排？", "前排|坐后排"),
    ("您是要退货还是要换货？", "退货|要换货"),
    ("您要单程票还是往返票？", "单程|往返|往返票"),
    ("您要左边的座位还是右边的座位？", "左边|右边的|左边的座位"),
    ("您觉得冷还是热？", "热"),
    ("您喜欢喝茶还是喝咖啡？", "茶|喝茶|咖啡"),
    ("有糖的还是无糖的？", "无糖的|有糖|无糖吧"),
    ("送到学校还是家里？", "送到家里|家里吧|学校"),
    ("去虹桥机场还是浦东机场？", "虹桥|浦东|去浦东机场|虹桥机场"),
    ("線上還是線下？".replace("線", "线").replace("還", "还"), "线上|线下吧"),
)
TAKES_NOT = (
    ("Is it forty one or forty two?", "forty|two"),
    ("Twenty five or thirty five?", "twenty|thirty|five"),
    ("Shall we say five or six thirty?", "six|thirty"),
    ("Should I set it for seven or seven thirty?", "seven"),
    ("Is it Anna Schmidt or Anna Meier?", "anna"),
    ("Should I call John Smith or Mary Jones?", "mary|john"),
    ("Did you mean Paris, Texas or Paris, France?", "paris"),
    ("Are you calling about a new order or an existing one?", "existing|an existing|a new"),
    ("Do you want it today or tomorrow morning?", "tomorrow"),
    ("Would you like it in May or in June?", "in"),
    ("Do you want it with milk or with sugar?", "with"),
    ("Do you want it on Monday or after Easter?", "on|after"),
    ("Tea with milk or tea with lemon?", "tea|tea with|with"),
    ("Do you want the window seat or the aisle seat?", "seat|the seat"),
    ("The Monday evening or the Tuesday evening?", "evening"),
    ("Do you mean Robert Smith or John Smith?", "smith"),
    ("Do you prefer red wine or white wine?", "wine"),
    ("Would you like to cancel it or keep it?", "it|keep|cancel"),
    ("Do you want me to text him or call him?", "him|call"),
    ("您要大杯还是小杯？", "大|小|杯|要大|您要大"),
    ("你要红茶还是绿茶？", "红|绿|茶"),
    ("请问您要热的还是冰的？", "热|冰"),
    ("您想坐前排还是后排？", "前|后|排"),
    ("您是要退货还是要换货？", "退|换|货"),
    ("您想订第一场还是第二场？", "第一|第|场"),
    ("您要单程票还是往返票？", "单|票"),
    ("您要上午场还是下午场？", "上|下|场"),
    ("您要左边的座位还是右边的座位？", "左|座位"),
    ("您要三个月还是六个月的会员？", "三|三个|六个|会员"),
    ("您坐二号线还是三号线？", "二|二号|线"),
    ("Boston or New York?", "new|boston and|or boston|london"),
    ("San Diego or Los Angeles?", "los|san"),
    ("San Jose or Santa Fe?", "san|santa"),
    ("Is it for your mother or your father?", "your|for your|it|is"),
    ("Red or white wine?", "not the red|red and|the|i'd like|red but"),
    ("Should I call the bank or the hotel?", "call|call the|should i"),
    ("Do you want coffee, or should I make tea?", "should|i"),
    ("Do you want coffee?", "coffee"),
    ("要大杯还是小杯？", "大|小|要|要大|两个|要一个"),
    ("是前门还是后门？", "前|后|是"),
    ("喝大杯还是喝小杯？", "大|喝"),
    ("去北京还是哈尔滨？", "哈尔|去|上海"),
    ("要大杯吗？", "大杯"),
)


@pytest.mark.parametrize(("asked", "texts"), TAKES)
def test_what_stands_in_the_question_as_one_of_several_is_taken(asked: str, texts: str) -> None:
    assert [text for text in texts.split("|") if not takes_choice(text, asked)] == []
    assert {completeness_of(text, asked) for text in texts.split("|")} == {Completeness.COMPLETE}


@pytest.mark.parametrize(("asked", "texts"), TAKES_NOT)
def test_a_part_of_it_or_what_was_not_offered_is_not(asked: str, texts: str) -> None:
    assert [text for text in texts.split("|") if takes_choice(text, asked)] == []
