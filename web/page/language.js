// The words of the page in its language. All of them stand in texts/english.js and texts/chinese.js, by key. An element names
// its key in an attribute (`data-text`, `data-label` …, and the values in `data-values`), so that one walk over the document
// changes the language. Knows nothing of the choices.

import { languageIn, tableFor } from "../widget/languages.js";
import { CHINESE } from "./texts/chinese.js";
import { ENGLISH } from "./texts/english.js";

const TABLES = { english: ENGLISH, chinese: CHINESE };
const PLACES = { label: "aria-label", title: "title", hint: "placeholder", content: "content" };  // data-… -> attribute
const MARKED = ["text", ...Object.keys(PLACES)].map((name) => `[data-${name}]`).join();

/** The languages of the page, each in its own words. */
export const OFFERED = [["en", "English"], ["zh", "中文"]];

/** Event: `change`. */
class Language extends EventTarget {
  #table = ENGLISH;

  get table() {
    return this.#table;
  }

  /** As the attribute `lang` and `Intl` want it. */
  get tag() {
    return this.#table.tag;
  }

  /** For dates and numbers: the tag of the person's own region, such as "en-GB", where it is one of the page's language. */
  get locale() {
    const own = navigator.languages ?? [];
    return own.find((each) => languageIn(each) === languageIn(this.tag) && isLocale(each)) ?? this.tag;
  }

  /** `wanted`: a language tag, or the browser's list of them, of which the first that the page has counts. */
  use(wanted) {
    const tag = typeof wanted === "string" ? wanted : wanted.find(languageIn);
    const table = tableFor(tag, TABLES), changed = table !== this.#table;
    this.#table = table;
    document.documentElement.lang = table.tag;
    translate(document);
    if (changed) this.dispatchEvent(new CustomEvent("change"));
  }
}

export const language = new Language();

/** Some systems have tags that `Intl` refuses, such as "en-US@posix". */
function isLocale(tag) {
  try { return Intl.getCanonicalLocales(tag).length === 1; } catch { return false; }
}

/** The text of a key with its values; null if there is no such text. `{count}` also chooses between one and many. */
export function textOf(key, values = {}) {
  if (!Object.hasOwn(language.table, key)) return null;
  const found = language.table[key];
  const text = typeof found === "string" ? found : found[new Intl.PluralRules(language.tag).select(values.count)] ?? found.other;
  return text.replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
}

/** "a, b and c". */
export const listed = (names) =>
  new Intl.ListFormat(language.tag === "en" ? "en-GB" : language.tag).format(names);  // en-GB: no comma before "and"

/** Write the texts of an element, and of all in it, that name their keys. */
export function translate(root) {
  if (root.matches?.(MARKED)) write(root);
  root.querySelectorAll(MARKED).forEach(write);
}

/** Let an element show the text of a key, in each language that comes; null: nothing. */
export function setText(element, key, values = null) {
  if (key && key === element.dataset.text && !values) return;
  delete element.dataset.text;
  delete element.dataset.values;
  if (!key) return void (element.textContent = "");
  element.dataset.text = key;
  if (values) element.dataset.values = JSON.stringify(values);
  write(element);
}

function write(element) {
  const { text: key, values: given } = element.dataset, values = given ? JSON.parse(given) : {};
  const text = key && textOf(key, values);
  if (key && element.textContent !== text) element.textContent = text;  // a screen reader reads each change
  for (const [place, attribute] of Object.entries(PLACES)) {
    if (element.dataset[place]) element.setAttribute(attribute, textOf(element.dataset[place], values));
  }
}
