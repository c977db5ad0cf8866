"""The aiohttp server: WebSockets, keys, the page, health."""
