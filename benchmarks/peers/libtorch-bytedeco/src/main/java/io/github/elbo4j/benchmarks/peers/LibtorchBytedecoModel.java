package io.github.elbo4j.benchmarks.peers;

import io.github.elbo4j.benchmarks.TrainingStep;
import io.github.elbo4j.benchmarks.cpu.OpenBlas;
import io.github.elbo4j.benchmarks.cpu.StepProcess.Job;
import io.github.elbo4j.benchmarks.cpu.Workload;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Adam;
import org.bytedeco.pytorch.AdamOptions;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/** The model in libtorch: plain modules' arithmetic, autograd and torch::optim::Adam, temporaries freed at every step. */
final class LibtorchBytedecoModel implements AutoCloseable {
    /** at::Reduction::Sum. */
    private static final long SUM = 2;

    private static final double LEARNING_RATE = 1e-3;

    private final PointerScope scope = new PointerScope();
    private final Workload workload;
    private final List<Tensor> weights = new ArrayList<>();
    private final List<Tensor> biases = new ArrayList<>();
    private final Adam adam;
    private final TensorOptional none = new TensorOptional();
    private final Scalar half = new Scalar(0.5f);
    private final Scalar rows;
    private final String version;

    LibtorchBytedecoModel(Job job) throws IOException {
        workload = job.workload();
        version = Loader.getVersion("org.bytedeco", "pytorch");
        rows = new Scalar((float) workload.batch());
        torch.set_num_threads(job.threads());
        torch.globalContext().setUserEnabledMkldnn(job.setting().equals("onednn"));
        torch.manual_seed(job.seed());
        TensorVector parameters = new TensorVector();
        for (String layer : workload.layers()) {
            float[] bias = job.weights(layer + ".bias");
            float[] weight = job.weights(layer + ".weight");
            weights.add(parameter(parameters, weight, bias.length, weight.length / bias.length));
            biases.add(parameter(parameters, bias, bias.length));
        }
        adam = new Adam(parameters, new AdamOptions(LEARNING_RATE));
    }

    private static Tensor parameter(TensorVector parameters, float[] values, long... shape) {
        Tensor tensor = Tensor.create(values, shape).set_requires_grad(true);
        parameters.push_back(tensor);
        return tensor;
    }

    /** {@return rows of pixels as a tensor} */
    static Tensor pixels(float[] shares) {
        return Tensor.create(shares, shares.length / TrainingStep.INPUT, TrainingStep.INPUT);
    }

    Map<String, String> facts() {
        return Map.of(
                "version",
                version,
                "torch_threads",
                Integer.toString(torch.get_num_threads()),
                "onednn",
                Boolean.toString(torch.globalContext().userEnabledMkldnn()),
                "blas",
                "OpenBLAS, core type " + OpenBlas.coreType());
    }

    /** {@return reconstruction and KL, summed over the rows of x} */
    Tensor loss(Tensor x) {
        int encoder = workload.hidden().size();
        int latent = workload.latent();
        Tensor hidden = x;
        for (int i = 0; i < encoder; i++) {
            hidden = torch.relu_(linear(hidden, i));
        }
        Tensor heads = linear(hidden, encoder);
        Tensor mu = heads.narrow(1, 0, latent);
        Tensor logVar = heads.narrow(1, latent, latent);
        hidden = torch.addcmul(mu, logVar.mul(half).exp(), torch.randn_like(mu));
        for (int i = encoder + 1; i < weights.size() - 1; i++) {
            hidden = torch.relu_(linear(hidden, i));
        }
        Tensor logits = linear(hidden, weights.size() - 1);
        Tensor reconstruction = torch.binary_cross_entropy_with_logits(logits, x, none, none, SUM);
        Tensor kl = mu.square().add(logVar.expm1()).sub(logVar).sum().mul(half);
        return reconstruction.add(kl);
    }

    private Tensor linear(Tensor x, int layer) {
        return torch.linear(x, weights.get(layer), new TensorOptional(biases.get(layer)));
    }

    /** {@return the mean loss of the rows of x, which were trained on} */
    double train(Tensor x) {
        Tensor loss = loss(x).div(rows);
        adam.zero_grad();
        loss.backward();
        adam.step();
        return loss.item_float();
    }

    @Override
    public void close() {
        scope.close();
    }
}
