// Pictures of a message as data URIs. Knows Blobs; knows nothing of the protocol.

const read = (blob) => new Promise((resolve, reject) => {
  const reader = new FileReader();
  reader.onload = () => resolve(reader.result);
  reader.onerror = () => reject(reader.error);
  reader.readAsDataURL(blob);
});

/** `images`: data URIs, http addresses or Blobs. Resolves to strings, in order; rejects if a Blob cannot be read. */
export const asAddresses = (images) => Promise.all(images.map((image) => (image instanceof Blob ? read(image) : String(image))));
