"""A PulseAudio server in a folder of its own, with two null sinks: one to hear, one to speak into."""

import os
import shutil
import subprocess
import threading
import time

import numpy as np

_SETUP = (
    "module-null-sink sink_name=vspk rate=48000 channels=2",
    "module-null-sink sink_name=vmic rate=48000 channels=2",
    "module-remap-source master=vmic.monitor source_name=mic",
)


def pulse_missing():
    """Why these tests cannot run here, or None."""
    for program in ("pulseaudio", "pactl", "paplay", "parec"):
        if shutil.which(program) is None:
            return f"{program} is not installed (apt install pulseaudio pulseaudio-utils libasound2-plugins)"
    try:
        import sounddevice  # noqa: F401
    except (ImportError, OSError) as error:
        return f"sounddevice: {error}"
    return None


class Pulse:
    """Started on entry, stopped on exit. `environment` points clients, ALSA's included, at it."""

    def __init__(self, folder):
        self.folder = folder
        folder.chmod(0o700)
        self.socket = folder / "native"
        self.environment = {
            "PULSE_SERVER": f"unix:{self.socket}",
            "XDG_RUNTIME_DIR": str(folder),
            "HOME": str(folder),
        }

    def __enter__(self):
        # ALSA's default device is PulseAudio only where its configuration says so; ours does
        (self.folder / ".asoundrc").write_text("pcm.!default { type pulse }\nctl.!default { type pulse }\n")
        loads = [f"--load={module}" for module in _SETUP]
        protocol = f"--load=module-native-protocol-unix socket={self.socket} auth-anonymous=1"
        self._server = subprocess.Popen(
            ["pulseaudio", "--daemonize=no", "--exit-idle-time=-1", "-n", protocol, *loads],
            env={**os.environ, **self.environment},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline_s = time.monotonic() + 20
        while "mic" not in self._pactl("list", "short", "sources", check=False):
            if time.monotonic() > deadline_s or self._server.poll() is not None:
                self._server.kill()
                raise RuntimeError("PulseAudio did not start")
            time.sleep(0.05)
        self._pactl("set-default-sink", "vspk")
        self._pactl("set-default-source", "mic")
        # A null sink that nobody is in a hurry for sleeps two seconds at a time; real hardware does not.
        self._hurry = [self.record(source, 8_000) for source in ("vspk.monitor", "vmic.monitor")]
        for listener in self._hurry:
            listener.ready()
        self._refresh_portaudio()
        return self

    def __exit__(self, *exc):
        for listener in self._hurry:
            listener.close()
        self._server.terminate()
        self._server.wait(20)

    def play(self, sink, samples, rate):
        """Play to the end; blocks."""
        form = [f"--rate={rate}", "--format=s16le", "--channels=1", "--raw", "--latency-msec=500"]
        subprocess.run(
            ["paplay", f"--device={sink}", *form, "/dev/stdin"],
            input=samples.tobytes(),
            env={**os.environ, **self.environment},
            check=True,
            timeout=60,
        )

    def record(self, source, rate):
        return Recording(source, rate, {**os.environ, **self.environment})

    def _pactl(self, *words, check=True):
        ran = subprocess.run(
            ["pactl", *words],
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=20,
        )
        assert not check or ran.returncode == 0, ran.stderr
        return ran.stdout

    def _refresh_portaudio(self):
        """PortAudio lists the devices once, when it starts: another test may have started it without ours."""
        import sounddevice

        sounddevice._terminate()
        sounddevice._initialize()


class Recording:
    """What a source gives, from entry until `stop`."""

    def __init__(self, source, rate, environment):
        form = [f"--rate={rate}", "--format=s16le", "--channels=1", "--raw", "--latency-msec=10"]
        self._process = subprocess.Popen(
            ["parec", f"--device={source}", *form], env=environment, stdout=subprocess.PIPE, bufsize=0
        )
        self._data = bytearray()
        self._arrived = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def ready(self):
        """Wait until sound (silence, so far) arrives; blocks."""
        assert self._arrived.wait(20)

    def so_far(self):
        """The samples recorded until now."""
        return np.frombuffer(bytes(self._data[: len(self._data) // 2 * 2]), np.int16)

    def stop(self):
        """The samples recorded."""
        self.close()
        return self.so_far()

    def close(self):
        self._process.terminate()
        self._process.wait(20)
        self._reader.join(20)
        self._process.stdout.close()

    def _read(self):
        while data := self._process.stdout.read(4096):
            self._data += data
            self._arrived.set()
