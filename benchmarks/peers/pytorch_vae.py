#!/usr/bin/env python3
"""A training step of the VAE 784-h-20-h-784 in PyTorch: eager, as a CUDA graph, and compiled inside a CUDA graph.

Weights, rows and their order are those of our own measurement; epsilon comes from PyTorch's generator. Rows are u8 on
the device and are gathered and divided by 255 there; Adam is the fused one; the loss is summed on the device.
"""

import sys

import peer

try:
    import torch
    from torch.nn.functional import binary_cross_entropy_with_logits, linear
except ImportError as problem:
    print(f"pytorch: {problem}")
    sys.exit(peer.NOT_INSTALLED)

STEPS_PER_GRAPH = 10
WARM_UP = 5


class Training:
    """A model, its optimizer, and a step that touches nothing on the host."""

    def __init__(self, rows, batch, layers, precision, device):
        self.device = device
        self.batch = batch
        self.bf16 = precision == "bf16"
        self.rows = rows
        self.used = rows.shape[0] // batch * batch
        self.initial = [torch.from_numpy(t.copy()).to(device) for layer in layers for t in layer]
        self.parameters = [t.clone().requires_grad_() for t in self.initial]
        self.optimizer = torch.optim.Adam(
            self.parameters,
            lr=peer.LEARNING_RATE,
            betas=peer.BETAS,
            eps=peer.EPSILON,
            fused=True,
            capturable=device == "cuda",
        )
        self.offsets = torch.arange(batch, device=device)
        self.position = torch.zeros((), dtype=torch.int64, device=device)
        self.loss_sum = torch.zeros((), device=device)
        self.objective = self.loss

    def loss(self, x, w1, b1, w2, b2, w3, b3, w4, b4):
        with torch.autocast(self.device, torch.bfloat16, enabled=self.bf16):
            hidden = linear(x, w1, b1).relu()
            mu, log_var = linear(hidden, w2, b2).float().chunk(2, 1)
            z = mu + (0.5 * log_var).exp() * torch.randn_like(mu)
            logits = linear(linear(z, w3, b3).relu(), w4, b4).float()
        reconstruction = binary_cross_entropy_with_logits(logits, x, reduction="sum")
        kl = 0.5 * (mu.square() + log_var.expm1() - log_var).sum()
        return (reconstruction + kl) / self.batch

    def step(self):
        x = self.rows.index_select(0, self.position + self.offsets).float() / 255
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.objective(x, *self.parameters)
        loss.backward()
        self.optimizer.step()
        self.loss_sum += loss.detach()
        self.position.copy_((self.position + self.batch) % self.used)

    @torch.no_grad()
    def reset(self):
        """Back to the first step: warming up and capturing have trained."""
        for parameter, start in zip(self.parameters, self.initial):
            parameter.copy_(start)
        for state in self.optimizer.state.values():
            for value in state.values():
                value.zero_()
        self.position.zero_()
        self.loss_sum.zero_()

    def wait(self):
        if self.device == "cuda":
            torch.cuda.synchronize()


def driven(training, advance, least):
    """losses, steps and least of a training that advance() moves on by least steps."""

    def steps(n):
        for _ in range(n // least):
            advance()
        training.wait()

    def mean_loss(n):
        training.loss_sum.zero_()
        steps(n)
        return training.loss_sum.item() / n

    return peer.losses_of(mean_loss, least), steps, least


def eager(training):
    for _ in range(WARM_UP):
        training.step()
    training.reset()
    return driven(training, training.step, 1)


def graph(training, steps_per_graph):
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(WARM_UP):
            training.step()
    torch.cuda.current_stream().wait_stream(side)
    captured = torch.cuda.CUDAGraph()
    with torch.cuda.graph(captured):
        for _ in range(steps_per_graph):
            training.step()
    training.reset()
    return driven(training, captured.replay, steps_per_graph)


def compiled(training, mode):
    torch._dynamo.reset()
    training.objective = torch.compile(training.loss, mode=mode, fullgraph=True, dynamic=False)
    return training


def modes(device):
    """Every mode by name: how to prepare a training and what it says of itself."""
    yield "eager", eager, {}
    if device != "cuda":
        return
    yield "graph", lambda t: graph(t, 1), {}
    yield f"graph-{STEPS_PER_GRAPH}", lambda t: graph(t, STEPS_PER_GRAPH), {}
    for mode in ("default", "max-autotune-no-cudagraphs"):
        for count in (1, STEPS_PER_GRAPH):
            yield (
                f"compile-{mode}-graph-{count}",
                lambda t, mode=mode, count=count: graph(compiled(t, mode), count),
                {"compile_mode": mode},
            )


def main():
    args = peer.options(__doc__)
    clock = peer.Clock(args.seconds)
    if args.device == "cuda" and not torch.cuda.is_available():
        print("pytorch: no CUDA device")
        sys.exit(peer.NOT_INSTALLED)
    torch.set_float32_matmul_precision("high" if args.precision == "tf32" else "highest")
    torch.manual_seed(1)
    rows = torch.from_numpy(peer.data(args.work)).to(args.device)
    about = {
        "framework": f"torch {torch.__version__}",
        "framework_cuda": str(torch.version.cuda),
        "framework_device": torch.cuda.get_device_name() if args.device == "cuda" else "cpu",
        "float32_matmul_precision": torch.get_float32_matmul_precision(),
        "autocast": "bf16" if args.precision == "bf16" else "off",
    }
    # The slow compilations come last, so that a lease that ends early has everything else.
    for mode, prepare, more in modes(args.device):
        for batch, hidden in peer.shapes(args.shapes):

            def make():
                layers = peer.weights(args.work, hidden)
                return prepare(Training(rows, batch, layers, args.precision, args.device))

            name = f"pytorch/{args.precision}/b{batch}-h{hidden}/{mode}"
            peer.run(name, args, clock, batch, hidden, {"mode": mode, **about, **more}, make)


if __name__ == "__main__":
    main()
