// The widget in one line of a page: <script type="module" src="https://host/embed.js"></script>. Defines <realtime-voice>.

import { RealtimeVoice } from "./widget/element.js";

if (!customElements.get("realtime-voice")) customElements.define("realtime-voice", RealtimeVoice);
