"""What both peers share: options, the files that the kit exports, timing, and the rows that they print."""

import argparse
import json
import os
import struct
import sys
import time

import numpy as np

INPUT = 784
LATENT = 20
LEARNING_RATE = 1e-3
BETAS = (0.9, 0.999)
EPSILON = 1e-8
OUT_OF_TIME = 3  # exit status: rows are missing, another call goes on
NOT_INSTALLED = 4  # exit status: the framework or the device is not here
TYPES = {"F32": np.float32, "F64": np.float64, "U8": np.uint8, "I64": np.int64}


def options(description, words=None):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--work", required=True, help="folder with data.u8 and h<hidden>/model.safetensors")
    parser.add_argument("--precision", required=True, choices=["fp32", "tf32", "bf16"])
    parser.add_argument("--shapes", required=True, help="such as b128-h400,b4096-h400")
    parser.add_argument("--device", default="cuda", choices=["cuda", "cpu"])
    parser.add_argument("--seconds", type=float, default=450, help="time after which no further row is begun")
    parser.add_argument("--skip", action="append", default=[], help="name of a row that is there already")
    parser.add_argument("--quick", action="store_true")
    return parser.parse_args(words)


def safetensors(path):
    """The tensors of a safetensors file by name."""
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        body = file.read()
    tensors = {}
    for name, entry in header.items():
        if name != "__metadata__":
            start, end = entry["data_offsets"]
            tensors[name] = np.frombuffer(body[start:end], TYPES[entry["dtype"]]).reshape(entry["shape"])
    return tensors


def weights(work, hidden):
    """Layers in order, each (weight [out, in], bias): encoder, heads, decoder, logits."""
    tensors = safetensors(os.path.join(work, f"h{hidden}", "model.safetensors"))
    layers = [
        (tensors[f"{name}.weight"].astype(np.float32), tensors[f"{name}.bias"].astype(np.float32))
        for name in ("encoder.0", "heads", "decoder.0", "logits")
    ]
    shapes = [weight.shape for weight, _ in layers]
    expected = [(hidden, INPUT), (2 * LATENT, hidden), (hidden, LATENT), (INPUT, hidden)]
    if shapes != expected:
        raise ValueError(f"the weights have shapes {shapes}, not {expected}")
    return layers


def data(work):
    """All rows as u8 [rows, 784]."""
    return np.fromfile(os.path.join(work, "data.u8"), np.uint8).reshape(-1, INPUT)


def shapes(text):
    for word in text.split(","):
        batch, hidden = word.split("-")
        yield int(batch[1:]), int(hidden[1:])


def flops(batch, hidden):
    """Operations of a step's products; the first layer has no input gradient."""
    return 2.0 * batch * (5 * INPUT * hidden + 9 * LATENT * hidden)


class Clock:
    """Stops before a row for which no time is left."""

    def __init__(self, seconds):
        self.end = time.monotonic() + seconds

    def require(self):
        if time.monotonic() > self.end:
            sys.exit(OUT_OF_TIME)


def measure(steps, quick, least=1):
    """Microseconds of a step: steps(n) runs n of them and waits once, at the end. Warmed up; median and deciles."""
    length, count = (0.002, 3) if quick else (0.05, 15)

    def timed(n):
        start = time.perf_counter()
        steps(n)
        return time.perf_counter() - start

    n = least
    took = timed(n)
    while took < length:
        n *= int(min(16, max(2, 1.25 * length / max(took, 1e-9))))
        took = timed(n)
    samples = sorted(timed(n) / n * 1e6 for _ in range(count))
    low, middle, high = np.quantile(samples, [0.1, 0.5, 0.9])
    return {"step_us": middle, "step_us_p10": low, "step_us_p90": high, "step_us_repetitions": count}


def emit(name, **values):
    """Prints a row; numbers of numpy become plain ones, and what is no number a string."""
    row = {"name": name}
    for key, value in values.items():
        if isinstance(value, np.generic):
            value = value.item()
        if value is None:
            continue
        row[key] = value if not isinstance(value, float) or np.isfinite(value) else str(value)
    print(json.dumps(row), flush=True)


def run(name, args, clock, batch, hidden, attributes, make):
    """One row. make() gives losses, steps and least: see losses_of and measure."""
    if name in args.skip:
        return
    clock.require()
    try:
        start = time.perf_counter()
        losses, steps, least = make()
        first, last = losses()
        prepared = time.perf_counter() - start
        timing = measure(steps, args.quick, least)
        emit(
            name,
            batch=batch,
            hidden=hidden,
            loss_first=first,
            loss_91_to_100=last,
            prepare_seconds=prepared,
            rows_per_second=batch / timing["step_us"] * 1e6,
            tflops=flops(batch, hidden) / timing["step_us"] / 1e6,
            **timing,
            **attributes,
        )
    except Exception as problem:  # a mode that does not work on this machine is a row as well
        text = " ".join(f"{type(problem).__name__}: {problem}".split())
        emit(name, batch=batch, hidden=hidden, error=text[:400], **attributes)


def losses_of(mean_loss, least):
    """Loss of step 1 and mean loss of steps 91 to 100; mean_loss(n) runs n steps, a multiple of least, and averages."""

    def losses():
        if least == 1:
            first = mean_loss(1)
            mean_loss(89)
        else:
            first = None
            mean_loss(90)
        return first, mean_loss(10)

    return losses
