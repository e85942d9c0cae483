// OS threads that run the blocks of a launch.
#pragma once

#include "block_runner.h"

namespace emu {

// Blocks until every block of the launch has run or one has failed; launch.aborted and launch.fault tell.
void run_launch(Launch& launch);

// How many OS threads share the blocks of a launch that is not cooperative.
int worker_count();

}  // namespace emu
