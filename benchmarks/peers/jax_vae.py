#!/usr/bin/env python3
"""A training step of the VAE 784-h-20-h-784 in JAX: jit of one step, and lax.scan over a hundred.

Weights, rows and their order are those of our own measurement; epsilon comes from JAX's generator. Rows are u8 on the
device and are gathered and divided by 255 there.
"""

import os
import sys
from functools import partial

import peer

# PyTorch and we share the device.
os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
if "--device" in sys.argv and sys.argv[sys.argv.index("--device") + 1] == "cpu":
    os.environ["JAX_PLATFORMS"] = "cpu"

try:
    import jax
    import jax.numpy as jnp
    from jax import lax
except ImportError as problem:
    print(f"jax: {problem}")
    sys.exit(peer.NOT_INSTALLED)

STEPS_PER_SCAN = 100
PRECISIONS = {"fp32": "highest", "tf32": "tensorfloat32", "bf16": "default"}


def dense(x, weight, bias, bf16):
    """x W^T + b; in bf16 both factors and the result are rounded, as PyTorch's autocast does."""
    if bf16:
        x, weight, bias = (t.astype(jnp.bfloat16) for t in (x, weight, bias))
    return jnp.dot(x, weight.T) + bias


def loss(layers, x, key, bf16):
    (w1, b1), (w2, b2), (w3, b3), (w4, b4) = layers
    hidden = jax.nn.relu(dense(x, w1, b1, bf16))
    mu, log_var = jnp.split(dense(hidden, w2, b2, bf16).astype(jnp.float32), 2, axis=1)
    z = mu + jnp.exp(0.5 * log_var) * jax.random.normal(key, mu.shape)
    logits = dense(jax.nn.relu(dense(z, w3, b3, bf16)), w4, b4, bf16).astype(jnp.float32)
    reconstruction = jnp.sum(jnp.maximum(logits, 0) - logits * x + jnp.log1p(jnp.exp(-jnp.abs(logits))))
    kl = 0.5 * jnp.sum(jnp.square(mu) + jnp.expm1(log_var) - log_var)
    return (reconstruction + kl) / x.shape[0]


def adam(layers, gradients, first, second, t):
    beta1, beta2 = peer.BETAS
    rate = peer.LEARNING_RATE / (1 - beta1**t)
    root = jnp.sqrt(1 - beta2**t)
    first = jax.tree.map(lambda m, g: beta1 * m + (1 - beta1) * g, first, gradients)
    second = jax.tree.map(lambda v, g: beta2 * v + (1 - beta2) * g * g, second, gradients)
    layers = jax.tree.map(
        lambda w, m, v: w - rate * m / (jnp.sqrt(v) / root + peer.EPSILON), layers, first, second
    )
    return layers, first, second


def step(state, rows, batch, bf16):
    """The next state and the loss; nothing of it is on the host."""
    layers, first, second, t, key = state
    used = rows.shape[0] // batch * batch
    position = t % (used // batch) * batch
    x = jnp.take(rows, position + jnp.arange(batch), axis=0).astype(jnp.float32) / 255
    value, gradients = jax.value_and_grad(loss)(layers, x, jax.random.fold_in(key, t), bf16)
    layers, first, second = adam(layers, gradients, first, second, (t + 1).astype(jnp.float32))
    return (layers, first, second, t + 1, key), value


@partial(jax.jit, static_argnums=(2, 3), donate_argnums=0)
def one(state, rows, batch, bf16):
    return step(state, rows, batch, bf16)


@partial(jax.jit, static_argnums=(2, 3), donate_argnums=0)
def scan(state, rows, batch, bf16):
    return lax.scan(lambda s, _: step(s, rows, batch, bf16), state, None, length=STEPS_PER_SCAN)


def prepare(rows, layers, batch, bf16, scanned):
    """losses, steps and least of peer.run."""

    def start():
        values = [(jnp.asarray(weight), jnp.asarray(bias)) for weight, bias in layers]
        zeros = [jax.tree.map(jnp.zeros_like, values) for _ in range(2)]
        # The faster of JAX's generators on a GPU.
        return values, zeros[0], zeros[1], jnp.zeros((), jnp.int32), jax.random.key(1, impl="rbg")

    holder = [start()]
    least = STEPS_PER_SCAN if scanned else 1
    function = scan if scanned else one

    def run(n):
        values = []
        for _ in range(n // least):
            holder[0], value = function(holder[0], rows, batch, bf16)
            values.append(value)
        jax.block_until_ready((holder[0], values[-1]))
        return values

    def losses():
        values = jnp.concatenate([jnp.atleast_1d(value) for value in run(100)])
        return float(values[0]), float(values[90:100].mean())

    return losses, run, least


def main():
    args = peer.options(__doc__)
    clock = peer.Clock(args.seconds)
    if args.device == "cuda" and jax.default_backend() != "gpu":
        print("jax: no CUDA device")
        sys.exit(peer.NOT_INSTALLED)
    jax.config.update("jax_default_matmul_precision", PRECISIONS[args.precision])
    rows = jnp.asarray(peer.data(args.work))
    about = {
        "framework": f"jax {jax.__version__}",
        "framework_device": jax.devices()[0].device_kind,
        "matmul_precision": PRECISIONS[args.precision],
        "factors": "bf16" if args.precision == "bf16" else "f32",
    }
    for mode in (f"scan-{STEPS_PER_SCAN}", "jit"):
        for batch, hidden in peer.shapes(args.shapes):

            def make():
                layers = peer.weights(args.work, hidden)
                return prepare(rows, layers, batch, args.precision == "bf16", mode != "jit")

            name = f"jax/{args.precision}/b{batch}-h{hidden}/{mode}"
            peer.run(name, args, clock, batch, hidden, {"mode": mode, **about}, make)


if __name__ == "__main__":
    main()
