"""The SDK as a package: packed, installed into a project of somebody else, type-checked and bundled there; and its size."""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path

import pytest

from tests.web import node_tools

SDK = Path(__file__).parents[2] / "web" / "sdk"
MAX_BYTES = 30_000  # of all of it, minified and gzipped

USER = """
import { Realtime } from "minimax-realtime";
import type { Snapshot, Tool } from "minimax-realtime/types.js";

const weather: Tool = { name: "weather", run: async ({ city }, { signal }) => (await fetch(city, { signal })).json() };
const voice = new Realtime({ url: "wss://host/v1/realtime", credential: async () => "ek_1", tools: [weather] });
const end: () => void = voice.subscribe(() => {
  const { phase, conversation, microphone }: Snapshot = voice.snapshot();
  document.title = `${phase} ${conversation.items.at(-1)?.text ?? ""} ${microphone.muted}`;
});
voice.speed = 1.2;
voice.update({ instructions: "Be brief." });
const remove: () => void = voice.tool({ name: "now", run: () => Date.now() });
export async function start(): Promise<void> {
  await voice.talk();
  await voice.say({ text: "Hello", images: [new Blob([])] });
  remove();
  end();
}
"""
WRONG = {
    "a number as a voice": "voice.voice = 1;",
    "a tool without a function": 'voice.tool({ name: "t" });',
    "no address": "new Realtime({});",
    "an unknown phase": 'if (voice.phase === "asleep") start();',
    "no such field": "voice.snapshot().microphone.volume;",
}
OPTIONS = (
    "--noEmit",
    "--strict",
    "--target",
    "es2023",
    "--module",
    "esnext",
    "--moduleResolution",
    "bundler",
)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that has installed the packed SDK."""
    node_tools.programs()
    room = tmp_path_factory.mktemp("package")
    copy = shutil.copytree(SDK, room / "sdk", ignore=shutil.ignore_patterns("types", "node_modules"))
    packed = json.loads(
        node_tools.run(node_tools.npm(), "pack", "--json", "--pack-destination", room, cwd=copy)
    )
    project = room / "project"
    project.mkdir()
    (project / "package.json").write_text('{"private": true, "type": "module"}')
    archive = room / (packed[0] if isinstance(packed, list) else next(iter(packed.values())))["filename"]
    node_tools.run(node_tools.npm(), "install", "--no-audit", "--no-fund", archive, cwd=project)
    (project / "user.ts").write_text(USER)
    return project


def test_the_sdk_is_checked_by_tsc(tmp_path: Path) -> None:
    """`strict`, whether a module asks for it or not."""
    node_tools.run("tsc", "-p", SDK / "tsconfig.json", "--outDir", tmp_path, cwd=SDK)


def test_no_module_is_left_unchecked() -> None:
    """A new one is checked from its first line on: those of the audio thread, too."""
    asked = json.loads(node_tools.run("tsc", "-p", SDK / "tsconfig.json", "--showConfig", cwd=SDK))
    checked = {(SDK / name).resolve() for name in asked["files"]}
    modules = {path for path in SDK.rglob("*.js") if not {"types", "node_modules"} & set(path.parts)}
    assert asked["compilerOptions"]["checkJs"]
    assert asked["compilerOptions"]["strict"]
    assert modules <= checked
    assert [path.name for path in modules if "@ts-nocheck" in path.read_text()] == []


def test_a_user_s_typescript_fits_and_wrong_use_is_found(project: Path) -> None:
    """Each line of WRONG is an error, so that the types are more than `any`. `tsc` needs seconds: it runs once."""
    lines = "\n".join(f"// @ts-expect-error {why}\n{line}" for why, line in WRONG.items())
    (project / "wrong.ts").write_text(USER + lines)
    node_tools.run("tsc", *OPTIONS, "user.ts", "wrong.ts", cwd=project)


def test_it_is_bundled(project: Path) -> None:
    """The worklets keep addresses of their own: a bundle cannot hold what another thread loads."""
    node_tools.run("esbuild", "--bundle", "--format=esm", "--outfile=out.js", "user.ts", cwd=project)
    made = (project / "out.js").read_text()
    for name in ("player", "capture"):
        assert f'new URL("./worklets/{name}.js", import.meta.url)' in made
        assert (project / "node_modules/minimax-realtime/worklets" / f"{name}.js").is_file()


def test_the_examples_are_modules(project: Path) -> None:
    """Of React, Vue and Svelte: their syntax, and that the SDK has what they import."""
    examples = sorted((SDK.parent / "examples").glob("*.js"))
    assert [example.stem for example in examples] == ["react", "svelte", "vue"]
    for example in examples:
        shutil.copy(example, project)
        outside = [f"--external:{name}" for name in ("react", "vue", "svelte/store")]
        node_tools.run("esbuild", "--bundle", "--format=esm", *outside, example.name, cwd=project)


def test_the_sdk_is_small(tmp_path: Path) -> None:
    """All modules and both worklets, minified and gzipped."""
    entries = [SDK / "realtime.js", *(SDK / "worklets").glob("*.js")]
    node_tools.run(
        "esbuild", "--bundle", "--minify", "--format=esm", f"--outdir={tmp_path}", *entries, cwd=SDK
    )
    size = sum(len(gzip.compress(made.read_bytes(), 9)) for made in tmp_path.rglob("*.js"))
    assert 5_000 < size < MAX_BYTES
