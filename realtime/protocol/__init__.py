"""The wire protocol: typed OpenAI Realtime (GA) events and their JSON and binary forms. No socket, no clock."""
