// What nvcc needs to share these sources with the emulated device, which brings the same names along by itself
// (cuda/emulator/include/emu_cuda.h).
#pragma once

#ifndef EMULATED_CUDA
#include <cuda_bf16.h>

// Every kernel accepts blocks of up to 1024 threads; without the bound registers might not suffice.
#define KERNEL extern "C" __global__ void __launch_bounds__(1024)
#define DYNAMIC_SHARED(type, name) extern __shared__ type name[]
#endif
