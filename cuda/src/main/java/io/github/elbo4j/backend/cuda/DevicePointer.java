package io.github.elbo4j.backend.cuda;

import jcuda.driver.CUdeviceptr;

/** An address on the device, as JCuda takes and gives it. */
final class DevicePointer extends CUdeviceptr {
    /** Null, for a call that fills it in. */
    DevicePointer() {}

    DevicePointer(long address) {
        super(new CUdeviceptr(), address);
    }

    /** {@return the address} */
    long address() {
        return getNativePointer() + getByteOffset();
    }
}
