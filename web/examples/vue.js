import { onScopeDispose, shallowRef } from "vue";

export function useVoice(voice) {
  const state = shallowRef(voice.snapshot());
  onScopeDispose(voice.subscribe(() => { state.value = voice.snapshot(); }));
  return state;
}
