import { readable } from "svelte/store";

/** A store: `$state.phase` in a component. */
export const stateOf = (voice) => readable(voice.snapshot(), (set) => {
  set(voice.snapshot());
  return voice.subscribe(() => set(voice.snapshot()));
});
