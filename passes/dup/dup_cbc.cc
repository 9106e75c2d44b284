// SPDX-License-Identifier: Apache-2.0
// Copyright The cimc authors
//
// dup_cbc.cc - integer programs solved by CBC; the only file that knows it. Without the GPL: CBC is
// under the EPL.
//
// By its C interface; C++ only because what CBC throws must not leave. CBC counts nodes of its
// tree, not pivots: max_work limits these.
#include "dup_mip.h"

#include <Cbc_C_Interface.h>
#include <algorithm>
#include <cmath>
#include <csignal>
#include <limits>
#include <new>
#include <string>
#include <utility>
#include <vector>

const char mip_solver_name[] = "cbc";

namespace
{

// A pivot costs about as much for each row and column, what CBC does before its first node as much
// as a thousand. CBC can be told how many nodes it may take, which are some hundred pivots each.
const int64_t PIVOT_STEPS = 150, START_PIVOTS = 1000, NODE_PIVOTS = 300;

// The matrix by columns, without gaps.
struct Matrix {
    std::vector<CoinBigIndex> starts;
    std::vector<int> rows;
    std::vector<double> coefs;

    explicit Matrix(const mip *p) : starts(p->n_columns + 1)
    {
        std::vector<std::vector<std::pair<int, double>>> columns(p->n_columns);
        for (size_t i = 0; i < p->n_columns; i++)
            for (size_t k = 0; k < p->columns[i].n; k++)
                columns[i].emplace_back((int)p->columns[i].rows[k], p->columns[i].coefs[k]);
        for (size_t i = 0; i < p->n_rows; i++)
            for (size_t k = 0; k < p->rows[i].n; k++)
                columns[p->rows[i].columns[k]].emplace_back((int)i, p->rows[i].coefs[k]);
        for (size_t i = 0; i < p->n_columns; i++) {
            for (const auto &element : columns[i]) {
                rows.push_back(element.first);
                coefs.push_back(element.second);
            }
            starts[i + 1] = (CoinBigIndex)rows.size();
        }
    }
};

// CBC takes the interrupt signal for itself and does not give it back.
struct Interrupts {
    struct sigaction before;

    Interrupts()
    {
        sigaction(SIGINT, nullptr, &before);
    }
    ~Interrupts()
    {
        sigaction(SIGINT, &before, nullptr);
    }
};

struct Model {
    Cbc_Model *cbc;

    explicit Model(const mip *p) : cbc(Cbc_newModel())
    {
        Matrix matrix(p);
        std::vector<double> low, high, cost, row_low, row_high;
        for (size_t i = 0; i < p->n_columns; i++) {
            low.push_back(p->columns[i].low);
            high.push_back(p->columns[i].high);
            cost.push_back(p->columns[i].cost);
        }
        for (size_t i = 0; i < p->n_rows; i++) {
            row_low.push_back(p->rows[i].low);
            row_high.push_back(p->rows[i].high);
        }
        Cbc_loadProblem(cbc, (int)p->n_columns, (int)p->n_rows, matrix.starts.data(),
                        matrix.rows.data(), matrix.coefs.data(), low.data(), high.data(),
                        cost.data(), row_low.data(), row_high.data());
        for (size_t i = 0; i < p->n_columns; i++)
            if (p->columns[i].is_whole)
                Cbc_setInteger(cbc, (int)i);
        Cbc_setObjSense(cbc, 1);
        Cbc_setLogLevel(cbc, 0);
    }
    ~Model()
    {
        Cbc_deleteModel(cbc);
    }
    Model(const Model &) = delete;
    Model &operator=(const Model &) = delete;
};

mip_status solve(const mip *p, int64_t max_work, mip_answer *io)
{
    Interrupts interrupts;
    Model model(p);
    int64_t pivot = PIVOT_STEPS * (int64_t)(p->n_columns + p->n_rows),
            nodes = max_work / (NODE_PIVOTS * pivot);
    if (!p->wants_cuts)
        Cbc_setParameter(model.cbc, "cuts", "off");
    Cbc_setParameter(
        model.cbc, "maxNodes",
        std::to_string(std::min<int64_t>(nodes, std::numeric_limits<int>::max())).c_str());
    Cbc_solve(model.cbc);
    io->n_steps = (START_PIVOTS + Cbc_getIterationCount(model.cbc)) * pivot;
    if (Cbc_isProvenInfeasible(model.cbc))
        return MIP_INFEASIBLE;
    const double *values = Cbc_bestSolution(model.cbc);
    bool optimal = Cbc_isProvenOptimal(model.cbc);
    if (!values || Cbc_isAbandoned(model.cbc))
        return MIP_NONE;
    for (size_t i = 0; i < p->n_columns; i++)
        io->values[i] = values[i];
    double bound = (optimal ? Cbc_getObjValue(model.cbc) : Cbc_getBestPossibleObjValue(model.cbc)) +
                   p->constant;
    io->bound = std::fmax(io->bound, bound);
    return optimal ? MIP_OPTIMAL : MIP_FEASIBLE;
}

} // namespace

void mip_solve(const mip *p, int64_t max_work, mip_answer *io)
{
    io->n_steps = 0;
    try {
        io->status = solve(p, max_work, io);
    } catch (const std::bad_alloc &) {
        io->status = MIP_NO_MEMORY;
    } catch (...) {
        io->status = MIP_NONE;
    }
}
