// What the audio thread has and a page has not, for the type check of the worklets.

declare const sampleRate: number; // of the context, in Hertz

declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}

declare function registerProcessor(name: string, processor: new (options: any) => AudioWorkletProcessor): void;
