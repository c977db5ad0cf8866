// @ts-check
// Pictures of a message as data URIs. Knows Blobs; knows nothing of the protocol.

/** @returns {Promise<string>} */
const read = (/** @type {Blob} */ blob) => new Promise((resolve, reject) => {
  const reader = new FileReader();
  reader.onload = () => resolve(/** @type {string} */ (reader.result));
  reader.onerror = () => reject(reader.error);
  reader.readAsDataURL(blob);
});

/** `images`: data URIs, http addresses or Blobs. Resolves to strings, in order; rejects if a Blob cannot be read. */
export const asAddresses = (/** @type {(string | Blob)[]} */ images) => Promise.all(images.map((image) => (image instanceof Blob ? read(image) : String(image))));
