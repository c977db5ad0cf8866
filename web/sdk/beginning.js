// @ts-check
// The beginning of a text that is too long to be shown or sent.

const characters = globalThis.Intl?.Segmenter ? new Intl.Segmenter() : null;

/** At most `most` UTF-16 units of a text, without half of a character: an emoji may be many units. @param {string} text @param {number} most */
export function beginning(text, most) {
  if (text.length <= most) return text;
  const end = characters?.segment(text).containing(most)?.index ?? most;
  return text.slice(0, end).replace(/[\uD800-\uDBFF]$/, "");
}

/** The same, with a mark where something is left out. @param {string} text @param {number} most */
export const shortened = (text, most) => (text.length > most ? `${beginning(text, most)}…` : text);
