"""Amounts, times and dates that are a whole answer."""

from realtime.core.whole_amounts import is_day_without_year, is_month_or_year, is_whole_amount
from tests.each import each

WHOLE = (
    "三点|3点|三点钟|三点半|三点一刻|三点二十|三点零五分|下午3点半|明天下午三点|星期三下午两点|三點|三点左右|三点吧|9:10|下午 3:30|"
    "十二月二十五号|12月25号|12月25日|二零二四年|2024年3月|二十五号|五十块|五十塊|50元|三块五|三块二毛五|1,250块|大概二十块|两天|"
    "五个人|两斤|大概三个小时|就三点|五十块以上|一个人|二十岁|二十歲|今年二十岁|20%|百分之二十|一百二十斤|一米八|一米七五|十度|三楼|半个小时|两年半|一个半小时|"
    "不是 三点|好的三点|好的，三点。|嗯，三点|对，五十块|OK三点|零下五度|五点到六点|二分之一|三四个人|下周三下午两点|三年级|零度|零点|零点五公斤|"
    "三十七度二|两毛五|三块零五|四斤三|三月十八|十二月二十五|三月三十一|二十四点|七点过五分|五角钱|"
    "Three o'clock.|half past three|quarter to five|ten to six|5 pm|at 5 a.m.|3:30 PM|At 10:30|three thirty p.m.|seven in the morning|noon|"
    "December twenty-fifth|December 25th.|December 25th, 2024|25 December|the 25th|the first of May|fifty dollars|Fifty dollars.|$50|$1,250|"
    "Twenty-five dollars.|a hundred dollars|one hundred and fifty dollars|about 20 dollars|ten percent|10%|two people|10 years old|"
    "twenty minutes|two and a half hours|half an hour|yes, fifty dollars|$50. $50.|December 25. December 25.|No. Fifty dollars.|um, fifty dollars|Friday at 3 pm|tomorrow at 3 pm|16GB"
).split("|")
OTHER = (
    "我要一个|要一杯|我要两份|两张|我要三杯|我要两个|两个|两位|二十多个|三四个|大概三个|一共两本|好的，两个|不是三条|三个左右|三次|"
    "有三点|有，三点|有三天|会三天|没三天|没有三天|不要三天|还没三点|我要两斤|要三个小时|只要三天|到三点|我要一点|要一点|就一天|大概一天|是一号|只要一分钟|一点呀|三年以前|三天之前|"
    "两号楼五|三个人二|六年四|七天三|九岁二|八号线五|十楼二|七公里三|两小时四|一五八点|零二三点|二十七点|三点七十分|十三月|四月四十号|"
    "四月十|十一月二十|六月三|七月二|八五年七|二零二四年六|一九九五年二|"
    "just one second|maybe one day|for one day|at least one minute|two years ago|"
    "|百年|万里|零件|明天|星期五|Sunday|今天下午|周|tomorrow|at|三|三十|五百|一二三|138|一个|一点|十分|第一点|第一个|万一|一直|一起|一下|我想买三个|三点去|三点一四|几点|几个人|多少钱|三年前|三点 的|好三点去|月|个|"
    "等一分钟|两秒|fifty|two|second|May|March|the first|at three|one day|one second|one minute|two seconds|wait one minute|ten dollars and|"
    "fifty dollars for|three o'clock and|from nine|dollars|people|half|the|" + "三点" * 40
).split("|")


@each(WHOLE)
def test_a_number_with_its_unit_is_whole(text: str) -> None:
    assert is_whole_amount(text)


@each(OTHER)
def test_what_may_go_on_or_asks_is_not(text: str) -> None:
    assert not is_whole_amount(text)


@each("一九九五年|八五年|2024年|七月|七月份|十一月|二零二四年七月|就七月".split("|"))
def test_a_chinese_date_is_told_down_to_its_day(text: str) -> None:
    assert is_month_or_year(text)
    assert not is_month_or_year(f"{text}五号")


@each("April 2nd|the ninth of June|12 July|the 21st".split("|"))
def test_a_year_may_follow_an_english_day(text: str) -> None:
    assert is_day_without_year(text)
    assert not is_day_without_year(f"{text} 1990")


@each("三个月|三年半|三点|五号|零八|".split("|"))
def test_a_length_of_time_is_no_month_and_no_year(text: str) -> None:
    assert not is_month_or_year(text)
