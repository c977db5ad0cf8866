"""Typical replies of a voice assistant, in the style of chat models, for the simulator."""

from __future__ import annotations

ENGLISH = (
    "Sure! I can help with that. What time should the reminder go off?",
    "The capital of Australia is Canberra, not Sydney as many people think.",
    "Hi there! It's nice to hear from you. How is your day going?",
    "I'm doing well, thanks for asking. How about you?",
    "Of course. Your meeting with Dr. Patel is at 10:30 tomorrow morning, in the small room on the second floor.",
    "Great question! Leaves change colour because the green pigment breaks down in autumn, and the yellow and red "
    "ones that were there all along become visible.",
    "No, I don't think so. The shop closes at 6 p.m. on Sundays.",
    "It's about 3.14, or a little more than three.",
    "Got it. I've set a timer for twelve minutes.",
    "Twelve times eleven is one hundred and thirty-two.",
    "I'm sorry to hear that. Would you like to talk about what happened?",
    "You could try the little Italian place on Market Street, it has a garden and the pasta is made fresh every day.",
    "Well, that depends on the weather. If it stays dry, the coastal path is lovely, but after rain I would take "
    "the forest road instead.",
    "Yes, that's right.",
    "Absolutely! Here's one: why did the scarecrow win an award? Because he was outstanding in his field.",
    "Light takes about eight minutes and twenty seconds to travel from the Sun to the Earth.",
    "Okay, let's see. You need two eggs, 250 grams of flour, and half a litre of milk. Mix them well and let the "
    "batter rest.",
    "Hello! What can I do for you today?",
    "In short, a mortgage is a loan for a house, and the house itself is the security.",
    "I can't see your calendar from here, but I can remind you if you tell me the date.",
    "That sounds wonderful! Where are you planning to go first?",
    "The train to Cambridge leaves at 9:15 from platform 4, and the next one is half an hour later.",
    "Sorry, I didn't catch the last part. Could you say it again?",
    "Thank you! That's very kind of you to say.",
    "To reset it, hold the button for ten seconds until the light blinks, then wait a minute.",
    "Good morning! It's 14 degrees and cloudy, so you might want to take a jacket.",
    "Honestly, I think both would work. The first is cheaper, the second will last longer.",
    "There are seven continents, and Asia is the largest of them.",
    "Right, so the first step is to open the settings. Then choose privacy, and look for the microphone.",
    "He wrote it in 1868, two years after he moved to the U.S. with his brother.",
    "My favourite is the story of the clever fox. Shall I tell it to you?",
    "You're welcome! Have a good evening.",
    "Done. The lights in the kitchen are off now.",
    "Not quite. The word is spelled with two s's and one c.",
    "The population grew from 1,200 to about 3,500 in ten years, mostly because of the new railway.",
    "Sounds good! I'll add bread, butter and apples to the list.",
    "As far as I know, the museum opens at nine on weekdays and at ten on weekends.",
    "A haiku has three lines, with five, seven and five syllables.",
    "That's a tough one. I would start with the smaller task, because finishing something gives you energy.",
    "Photosynthesis is the way plants turn sunlight, water and air into sugar.",
)

CHINESE = (
    "好的！我可以帮你。你想几点提醒？",
    "今天天气很好，最高气温二十六度，适合出去走走。",
    "你好！很高兴听到你的声音。今天过得怎么样？",
    "北京是中国的首都，也是全国的政治和文化中心。",
    "当然可以，我给你讲一个小故事。从前有一只聪明的狐狸，住在山脚下的树林里。",
    "没问题，已经为你设置了十二分钟的闹钟。",
    "抱歉，我没有听清楚，你能再说一遍吗？",
    "这个问题很有意思。树叶变黄是因为叶绿素在秋天分解了，黄色和红色就显现出来。",
    "不客气，祝你晚上愉快！",
    "光从太阳到地球大约需要八分二十秒。",
    "我觉得两个都不错，第一个便宜一些，第二个更耐用。",
    "明天上午十点半，你和张医生有一个约会，地点在二楼的小会议室。",
    "嗯，这要看天气。如果不下雨，海边的小路很漂亮，下雨的话还是走大路吧。",
    "十二乘以十一等于一百三十二。",
    "谢谢你的夸奖！",
    "是的，没错。",
    "首先打开设置，然后选择隐私，最后找到麦克风的选项就可以了。",
    "博物馆平时九点开门，周末十点开门，星期一休息。",
    "听起来真不错！你打算先去哪里？",
    "人体大约百分之六十是水，所以每天喝足够的水非常重要。",
    "别担心，我们一步一步来。先告诉我发生了什么事。",
    "这道菜需要两个鸡蛋、一点盐和半碗面粉，先把鸡蛋打散，再慢慢加入面粉。",
    "我暂时看不到你的日历，不过你可以告诉我日期，我来提醒你。",
    "早上好！今天多云，十四度，出门记得带一件外套。",
)

MIXED = (
    "好的，我用 Python 写了一个小程序，大概三十行。你要现在运行吗？",
    "GPT 是一种语言模型，它通过预测下一个词来生成文字。",
    "你可以在 App Store 里搜索这个名字，然后点 Download，几秒钟就好了。",
    "「はい」、つまり yes という意味です。とても便利な言葉ですね。",
    "会议改到 10:30 了，Dr. Smith 会在 Zoom 上等你。",
    "この店のラーメンは一杯850円で、とても美味しいと評判です。行ってみますか？",
    "Sure, 没问题！The Chinese word for cat is 猫, and it is pronounced mao in the first tone.",
    "圆周率大约是 3.14，更准确一点是 3.14159。",
)

LONG = (
    "Once upon a time there was a small town at the edge of a great forest. The people of the town were proud of "
    "their clock, which had never been wrong. One winter morning the clock stopped, and nobody knew why. The mayor "
    "called the clockmaker, who was old and nearly blind. He climbed the tower slowly, one step after another, and "
    "listened. There, between the great wheels, a little owl had built her nest. The clockmaker smiled and came down "
    "again. He told the people that the clock was resting until spring. So for one whole winter the town lived "
    "without hours, and everyone agreed that it had been the longest and happiest winter of all. In April the young "
    "owls flew away, the clock began to tick, and the clockmaker was already asleep in his chair.",
    "There are three things to check when the connection is slow.\n\nFirst, look at the distance between the router "
    "and your desk. Walls made of concrete swallow most of the signal, so a move of two metres can help a lot.\n\n"
    "Second, see how many devices are using the network at the same time. A television that streams in high quality "
    "needs about 25 megabits per second, which is half of what you have.\n\nThird, restart the router. It sounds "
    "silly, but it helps in more than half of all cases, because old connections are closed and the memory is freed.",
    "很久很久以前，在一座大山的脚下，有一个安静的小村庄。村里的人们靠种田为生，日子过得简单而快乐。有一年夏天，天一直不下雨，河水"
    "慢慢干了，大家都非常着急。这时候，一个小女孩说，她在梦里看见山顶上有一口井。大人们都不相信，只有她的爷爷愿意陪她去找。他们走了"
    "两天两夜，终于在一棵老松树下面听到了水声。爷爷用锄头挖开石头，清清的泉水就流了出来。从那以后，村里再也没有缺过水，人们把那口井"
    "叫作梦泉。",
)
