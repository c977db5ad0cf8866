"""The aiohttp server: sockets to events, keys, the page, health."""
