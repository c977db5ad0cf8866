import { useSyncExternalStore } from "react";
import { Realtime } from "minimax-realtime";

const voice = new Realtime({ url: "wss://host/v1/realtime" });

export const useVoice = () => ({ voice, ...useSyncExternalStore(voice.subscribe, voice.snapshot) });
