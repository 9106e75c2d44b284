// SPDX-License-Identifier: Apache-2.0
// Copyright The cimc authors
// Clocks for the machine: clk_data runs while a datapath has work, then comes one clk.
#include "Vcimc_machine.h"
#include "verilated.h"

#include <cinttypes>
#include <cstdio>

int main(int argc, char **argv)
{
    VerilatedContext context;
    context.commandArgs(argc, argv);
    Vcimc_machine machine{&context};
    uint64_t n_clocks = 0, n_data_clocks = 0;
    const auto pulse = [&](CData &clock) {
        clock = 1;
        machine.eval();
        clock = 0;
        machine.eval();
    };
    machine.reset = 1;
    for (int i = 0; i < 4; i++) {
        pulse(machine.clk);
        pulse(machine.clk_data);
    }
    machine.reset = 0;
    machine.eval();
    while (!context.gotFinish() && !machine.finished && !machine.stuck) {
        pulse(machine.clk);
        for (n_clocks++; machine.data_busy && !context.gotFinish(); n_data_clocks++)
            pulse(machine.clk_data);
    }
    pulse(machine.clk);
    machine.final();
    std::printf("cycles: %" PRIu64 "\nclocks: %" PRIu64 "\ndata clocks: %" PRIu64
                "\nclocks without an instruction: %" PRIu64 "\n",
                static_cast<uint64_t>(machine.cycles), n_clocks, n_data_clocks,
                static_cast<uint64_t>(machine.n_starved));
    if (machine.stuck)
        std::puts("deadlock");
    return machine.finished ? 0 : 1;
}
