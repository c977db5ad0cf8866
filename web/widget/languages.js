// Which of the two languages of our texts is meant, by a tag or by the document. Widget and talk page have tables of their own.

/** "en" or "zh" for a tag of that language, such as "zh-Hant-HK" or, as some write it, "zh_CN"; null for all others. */
export const languageIn = (tag) => /^(en|zh)(?![a-z0-9])/i.exec(tag ?? "")?.[1].toLowerCase() ?? null;

/** Chinese for a language tag such as "zh-CN"; English for all others. */
export const tableFor = (lang, { english, chinese }) => (languageIn(lang) === "zh" ? chinese : english);

/** Call `changed` when the document, or a part of it, gets another language. Returns a function that ends it. */
export function watchDocument(changed) {
  const observer = new MutationObserver(changed);
  observer.observe(document, { subtree: true, attributes: true, attributeFilter: ["lang"] });
  return () => observer.disconnect();
}
