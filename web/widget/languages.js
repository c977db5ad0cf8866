// Which of two tables of texts fits a language. Widget and talk page have tables of their own.

/** Chinese for a language tag such as "zh-CN"; English for all others. */
export const tableFor = (lang, { english, chinese }) => (/^zh\b/i.test(lang ?? "") ? chinese : english);
