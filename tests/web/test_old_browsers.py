"""Page, widget and SDK use nothing newer than the browsers that docs/widget.md promises: Safari 15.4, Chrome and Edge 98, Firefox 102.

No such browser is here to try it. What is newer is looked for in the text, by names; a use that asks first is named below.
"""

from __future__ import annotations

import re
from pathlib import Path

from tests.web import node_tools

WEB = Path(__file__).parents[2] / "web"
SCRIPTS = sorted(WEB.rglob("*.js"))
STYLES = [*sorted(WEB.rglob("*.css")), WEB / "widget" / "style.js"]
TARGETS = "safari15.4,chrome98,firefox102"
PROPERTIES = ["--supported:regexp-unicode-property-escapes=true"]  # of the letters of all scripts: since 2020

# What it is, and the first versions that have it: Safari, Chrome, Firefox.
NEWER = {
    r"AbortSignal\.(timeout|any)\b": "16, 103, 100",
    r"\.findLast(Index)?\(": "15.4, 97, 104",
    r"URL\.(canParse|parse)\b": "17, 120, 115",
    r"\.(toSorted|toReversed|toSpliced)\(": "16, 110, 115",
    r"\b(Object|Map)\.groupBy\b": "17.4, 117, 119",
    r"Promise\.(withResolvers|try)\b": "17.4, 119, 121",
    r"Array\.fromAsync\b": "16.4, 121, 115",
    r"\.(isWellFormed|toWellFormed)\(": "16.4, 111, 119",
    r"\.(union|intersection|difference|isSubsetOf|isSupersetOf|isDisjointFrom)\(": "17, 122, 127",
    r"\.(values|keys|entries)\(\)\.(map|filter|find|some|every|reduce|forEach|toArray|take|drop|flatMap)\(": "18.4, 122, 131",
    r"\(\?<[=!]": "16.4, 62, 78",
    r"Intl\.(Segmenter|DurationFormat)\b": "14.1, 87, 125",
    r"\b(toBase64|fromBase64|toHex|fromHex)\(\)": "18.2, 140, 133",
    r"\b(new CSSStyleSheet|adoptedStyleSheets)\b": "16.4, 99, 101",
    r"\.(requestSubmit|showPicker|showPopover|togglePopover|checkVisibility|requestClose)\(": "16 and newer",
    r"\.(roundRect|createConicGradient)\(": "16, 99, 112",
    r"\b(requestIdleCallback|scheduler\.|navigator\.locks|navigator\.userActivation)\b": "some have none",
    r"\bRegExp\.escape\b": "18.2, 136, 134",
    r"\bimport\.meta\.resolve\b": "16.4, 105, 106",
}
ASKED = {  # the module does without, where it is not there
    "sdk/beginning.js": {"Intl.Segmenter"},
    "sdk/framing.js": {"toBase64()"},
    "widget/style.js": {"adoptedStyleSheets", "new CSSStyleSheet"},
}
# A rule that has one of these is skipped, or worse: a value with a variable in it counts as none.
NEWER_STYLE = {
    r"\bcolor-mix\(|\blight-dark\(|\boklch\(|\boklab\(": "colours: 16.2, 111, 113",
    r"[;{\s](translate|rotate|scale):": "14.1, 104, 72; `transform` does it",
    r":has\([^{}]*,|,[^{}]*:has\(": "15.4, 105, 121: in a list it takes the others with it",
    r"&[\s:.>\[]|@scope\b|@starting-style\b": "nested and scoped rules: 17.2 and newer",
}
UNITS = r"\d(?:dv|sv|lv|cq)[a-z]{1,3}\b"  # 15.4, 108, 101; of containers 16, 105, 110


def _code(path: Path) -> str:
    """Without comments, which may name what is not used."""
    text = re.sub(r"/\*.*?\*/", "", path.read_text("utf-8"), flags=re.S)
    return re.sub(r"(^|\s)//.*", "", text)


def _base(path: Path) -> str:
    """The rules for every browser: without those behind @supports."""
    return re.sub(r"@supports [^{]*\{(?:[^{}]|\{[^{}]*\})*\}", "", _code(path))


def test_scripts_ask_before_they_use_something_newer() -> None:
    found = [
        (str(path.relative_to(WEB)), hit[0], since)
        for path in SCRIPTS
        for name, since in NEWER.items()
        for hit in re.finditer(name, _code(path))
    ]
    assert [(path, name, since) for path, name, since in found if name not in ASKED.get(path, ())] == []


def test_scripts_have_no_newer_syntax(tmp_path: Path) -> None:
    """esbuild, told of the oldest browsers, has nothing to write in another way."""
    for target in ("esnext", TARGETS):
        options = (f"--target={target}", f"--outdir={tmp_path / target}", *PROPERTIES)
        node_tools.run("esbuild", *SCRIPTS, "--log-level=error", *options, cwd=WEB)
    made = [path.relative_to(tmp_path / "esnext") for path in (tmp_path / "esnext").rglob("*.js")]
    assert len(made) == len(SCRIPTS)
    differ = [
        path
        for path in made
        if (tmp_path / "esnext" / path).read_text() != (tmp_path / TARGETS / path).read_text()
    ]
    assert differ == []


def test_styles_have_something_for_browsers_that_do_not_know_the_newer() -> None:
    for path in STYLES:
        text = _base(path)
        assert [hit[0] for name in NEWER_STYLE for hit in re.finditer(name, text)] == [], path
        for rule in re.findall(r"[{;]([^{}]*)\}", text):
            _check(rule)


def _check(rule: str) -> None:
    """A size in a newer unit stands after one for those who skip it, and has no variable in it."""
    known = set()
    for name, _, value in (part.strip().partition(":") for part in rule.split(";")):
        if re.search(UNITS, value):
            assert name in known, f"{name}: {value}: what do others take?"
            assert "var(" not in value, f"{name}: {value}: nothing else counts, known or not"
        known.add(name)
