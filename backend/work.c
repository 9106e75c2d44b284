/*
 * work.c - what work a task is: the outline of the instruction it is printed as, priced as
 * instructions are (isa_work), so that scheduler and simulator cannot differ.
 */
#include "backend_internal.h"

#include <string.h>

const struct task_kind_info task_kinds[] = {
#define TASK(name, inst, unit, work) {ISA_##inst, QUEUE_##unit, work},
#include "tasks.def"
#undef TASK
};

struct isa_window node_window(const struct node *n)
{
    static const struct {
        enum ir_opcode op;
        enum isa_window_kind kind;
    } kinds[] = {{IR_max_pool, WINDOW_MAX}, {IR_overlap_add, WINDOW_OVERLAP}};
    const struct axis_map *m = n->operand[0].map;
    struct isa_window w = {.kind = WINDOW_AVERAGE, .pad_top = m[0].pad, .pad_left = m[1].pad};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (n->root->opcode == kinds[i].op)
            w.kind = kinds[i].kind;
    for (int i = 0; i < 2; i++) {
        bool all = m[i].kind == MAP_ALL; /* global pooling */
        w.kernel[i] = (uint32_t)(all ? m[i].extent : m[i].kernel);
        w.stride[i] = all ? 1 : (uint32_t)m[i].stride;
        w.dilation[i] = all ? 1 : (uint32_t)m[i].dilation;
    }
    if (n->root->opcode == IR_avg_pool && n->root->attrs->avg_pool.count_pad)
        for (int i = 0; i < 4; i++)
            w.counted[i] = (uint32_t)n->root->attrs->avg_pool.counted[i];
    return w;
}

/* Links to the farthest tile that the message goes to. */
static uint32_t message_hops(const struct plan *p, const struct isa_program *machine,
                             const struct task *t)
{
    const struct node *n = &p->nodes.at[t->node];
    if (t->kind == TASK_partial)
        return isa_hops(machine, t->tile, n->home[t->cell]);
    uint32_t most = 0;
    for (uint32_t i = 0; i < n->targets.n; i++)
        if (node_sends(n, t->cell, i) && n->targets.at[i].class == t->aux) {
            uint32_t hops = isa_hops(machine, t->tile, p->buffers.at[n->targets.at[i].buffer].tile);
            most = hops > most ? hops : most;
        }
    return most;
}

enum element plan_port_element(const struct ir_op *port)
{
    return ir_dtype_element(port->opcode == IR_output ? port->attrs->output.dtype
                                                      : port->attrs->input.dtype);
}

static void set_extent(struct isa_outline *o, const struct box *b)
{
    o->h = (uint32_t)(b->hi[0] - b->lo[0]);
    o->w = (uint32_t)(b->hi[1] - b->lo[1]);
    o->channels = (uint32_t)(b->hi[2] - b->lo[2]);
}

struct cost_work plan_task_work(const struct plan *p, const struct isa_program *machine,
                                const struct task *t)
{
    const struct node *n = &p->nodes.at[t->node];
    struct box box = task_box(p, t);
    struct isa_outline o = {.op = task_kinds[t->kind].op};
    struct isa_program_entry program;
    struct isa_window window;
    switch ((enum task_kind)t->kind) {
    case TASK_sum:
    case TASK_finish:
    case TASK_map:
    case TASK_copy:
        task_program(p, t, &program);
        o.n_lane_ops = program.n_ops;
        break;
    case TASK_window:
        window = node_window(n);
        o.window = &window;
        break;
    case TASK_reduce: box = read_box(n->operand[0].map, &box); break;
    case TASK_partial:
    case TASK_send:
        o.hops = message_hops(p, machine, t);
        o.element = value_element(n->root);
        break;
    case TASK_load: o.element = plan_port_element(n->root); break;
    case TASK_store: o.element = plan_port_element(p->stores.at[t->aux].output); break;
    case TASK_mvm:
    case TASK_gather:
    case TASK_barrier: break;
    }
    set_extent(&o, &box);
    return isa_work(&o);
}
