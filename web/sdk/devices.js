// @ts-check
// The audio devices of the page. Browsers tell their names only once the microphone was allowed.
// Knows navigator.mediaDevices and no audio.

/** @typedef {{ id: string, name: string }} Device `name` is empty until the microphone was allowed. */

/** The devices of one kind; none where the browser tells none. @param {MediaDeviceKind} kind @returns {Promise<Device[]>} */
export async function devices(kind) {
  const all = await navigator.mediaDevices?.enumerateDevices?.().catch(() => []) ?? [];
  return all.filter((device) => device.kind === kind && device.deviceId).map(({ deviceId, label }) => ({ id: deviceId, name: label }));
}

/**
 * Whether no person can allow the microphone: the frame of this page has no `allow="microphone"`, or a policy of a server
 * forbids it. Only Chromium tells.
 */
export function microphoneForbidden() {
  const { featurePolicy } = /** @type {Document & { featurePolicy?: { allowsFeature(name: string): boolean } }} */ (document);
  return featurePolicy?.allowsFeature("microphone") === false;
}

/** Whether the microphone may be used: "unknown" where the browser does not say it before it asks. */
export async function microphonePermission() {
  try {
    const name = /** @type {PermissionName} */ ("microphone");
    return /** @type {"granted" | "denied" | "prompt" | "unknown"} */ ((await navigator.permissions.query({ name })).state);
  } catch {
    return /** @type {const} */ ("unknown");
  }
}
