#!/usr/bin/env python3
"""Tests of what the peers share, with no framework: parsing, reading what Java writes, timing, rows."""

import contextlib
import io
import json
import os
import py_compile
import struct
import tempfile
import time
import unittest

import numpy as np

import peer


def write_safetensors(path, tensors):
    header, body = {"__metadata__": {"format": "test"}}, b""
    for name, tensor in tensors.items():
        start = len(body)
        body += tensor.tobytes()
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [start, len(body)]}
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + body)


def model(hidden):
    shapes = {"encoder.0": (hidden, 784), "heads": (40, hidden), "decoder.0": (hidden, 20), "logits": (784, hidden)}
    tensors = {}
    for name, shape in shapes.items():
        tensors[f"{name}.weight"] = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
        tensors[f"{name}.bias"] = np.full(shape[0], 0.5, np.float32)
    return tensors


class PeerTest(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.work = holder.name

    def test_scripts_compile(self):
        here = os.path.dirname(os.path.abspath(__file__))
        for script in ("pytorch_vae.py", "jax_vae.py"):
            py_compile.compile(os.path.join(here, script), os.path.join(self.work, "out.pyc"), doraise=True)

    def test_options(self):
        words = "--work w --precision tf32 --shapes b20-h400,b4096-h4096 --skip a --skip b --device cpu --quick"
        args = peer.options("", words.split())
        self.assertEqual(list(peer.shapes(args.shapes)), [(20, 400), (4096, 4096)])
        self.assertEqual((args.skip, args.device, args.quick), (["a", "b"], "cpu", True))
        with contextlib.redirect_stderr(io.StringIO()), self.assertRaises(SystemExit):
            peer.options("", "--work w --precision fp8 --shapes b1-h1".split())

    def test_weights_in_order(self):
        os.mkdir(os.path.join(self.work, "h3"))
        tensors = model(3)
        write_safetensors(os.path.join(self.work, "h3", "model.safetensors"), tensors)
        layers = peer.weights(self.work, 3)
        np.testing.assert_array_equal(layers[1][0], tensors["heads.weight"])
        np.testing.assert_array_equal(layers[3][1], tensors["logits.bias"])

    def test_weights_of_another_width_are_refused(self):
        os.mkdir(os.path.join(self.work, "h3"))
        write_safetensors(os.path.join(self.work, "h3", "model.safetensors"), model(4))
        with self.assertRaises(ValueError):
            peer.weights(self.work, 3)

    def test_data(self):
        rows = np.arange(2 * 784, dtype=np.uint64).astype(np.uint8).reshape(2, 784)
        rows.tofile(os.path.join(self.work, "data.u8"))
        np.testing.assert_array_equal(peer.data(self.work), rows)

    def test_flops_are_those_of_the_steps_part(self):
        # 2 * 128 * (5 * 784 * 400 + 9 * 20 * 400)
        self.assertEqual(peer.flops(128, 400), 419_840_000)

    def test_measure(self):
        asked = []

        def steps(n):
            asked.append(n)
            time.sleep(n * 1e-4)

        timing = peer.measure(steps, True, least=10)
        self.assertTrue(all(n % 10 == 0 for n in asked), asked)
        self.assertTrue(100 <= timing["step_us"] < 1000, timing)

    def test_losses_of_steps_1_and_91_to_100(self):
        for least, expected in ((1, [1, 89, 10]), (10, [90, 10])):
            asked = []
            peer.losses_of(lambda n, asked=asked: asked.append(n) or float(n), least)()
            self.assertEqual(asked, expected)

    def rows(self, make, skip=(), seconds=60):
        words = ["--work", "w", "--precision", "fp32", "--shapes", "b2-h2", "--quick"]
        args = peer.options("", words + [word for name in skip for word in ("--skip", name)])
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            peer.run("row", args, peer.Clock(seconds), 2, 2, {"mode": "m"}, make)
        return [json.loads(line) for line in out.getvalue().splitlines()]

    def test_row(self):
        (row,) = self.rows(lambda: (lambda: (None, np.float32(7)), lambda n: time.sleep(n * 1e-4), 1))
        self.assertEqual((row["name"], row["mode"], row["loss_91_to_100"]), ("row", "m", 7.0))
        self.assertNotIn("loss_first", row)
        self.assertGreater(row["step_us"], 0)

    def test_a_failure_is_a_row(self):
        def broken():
            raise RuntimeError("no\nsuch mode")

        (row,) = self.rows(broken)
        self.assertEqual(row["error"], "RuntimeError: no such mode")

    def test_rows_that_are_there_are_skipped(self):
        self.assertEqual(self.rows(lambda: self.fail("measured again"), skip=["row"]), [])

    def test_no_row_begins_without_time(self):
        with self.assertRaises(SystemExit) as end:
            self.rows(lambda: self.fail("began"), seconds=-1)
        self.assertEqual(end.exception.code, peer.OUT_OF_TIME)


if __name__ == "__main__":
    unittest.main()
