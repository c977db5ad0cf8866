"""The wire: OpenAI Realtime (GA) events, typed, and their JSON and binary forms. Pure: no socket, no clock."""
