"""What `realtime doctor` finds: the platform, the port, the key, the providers."""

import socket

from realtime.commands.checks import Verdict, run_checks
from realtime.sandbox.server import Sandbox
from realtime.settings import Settings
from tests.ports import free_port


async def test_doctor_accepts_a_platform_that_answers():
    async with Sandbox() as sandbox:
        url = sandbox.url
        findings = {f.part: f for f in await run_checks(Settings(api_key="sandbox", base_url=url))}
    assert findings["chat"].verdict is Verdict.GOOD
    assert findings["speech"].verdict is Verdict.GOOD
    assert findings["key"].text == f"none needed for {url}"


async def test_doctor_says_that_the_port_is_in_use():
    port = free_port()
    with socket.create_server(("127.0.0.1", port)):
        findings = {f.part: f for f in await run_checks(Settings(port=port))}
    assert findings["address"].verdict is Verdict.NOTE
    assert "in use" in findings["address"].text
    findings = {f.part: f for f in await run_checks(Settings(port=port))}
    assert findings["address"].verdict is Verdict.GOOD


async def test_doctor_distinguishes_a_wrong_key_from_a_network_error():
    async with Sandbox() as sandbox:
        findings = {f.part: f for f in await run_checks(Settings(api_key="sk-bad", base_url=sandbox.url))}
        url = sandbox.url
    assert findings["chat"].verdict is Verdict.BAD
    assert "region" in findings["chat"].advice
    findings = {f.part: f for f in await run_checks(Settings(api_key="key", base_url=url))}
    assert findings["chat"].verdict is Verdict.BAD
    assert "network" in findings["chat"].advice


async def test_doctor_reports_an_unknown_provider():
    settings = Settings(store="none", transcriber="local")
    findings = {f.part: f for f in await run_checks(settings)}
    assert findings["providers"].verdict is Verdict.GOOD
    assert "chat minimax, speech minimax, store none" in findings["providers"].text
    findings = {f.part: f for f in await run_checks(Settings(transcriber="magic"))}
    assert findings["providers"].verdict is Verdict.BAD
    assert "TRANSCRIBER=magic" in findings["providers"].advice
