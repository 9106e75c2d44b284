; (1, 2, 3, 4) to a view of columns 0 and 1 and to one of columns 2 and 3, with one counter: two messages. A third one, to a view that holds no row of it, counts too, and a SIGNAL to another counter; one more to the own tile.
; NOP and WAIT count for their queue as all do; what stands behind a WAIT waits with it. Each half is stored when all has come: the first one in place, the second behind 2 NOPs and a WAIT.
; input 0: 1 2 3 4
; output 0: 1 2 3 4
; output 1: 1 2 3 4
isa 2
arch "base: clsa\nhop_cycles: 3\n"
node 0 {name="values"}
binding 0 {index=0, name="x0", shape=[4], stride_w=1, height=1, width=4, channels=1}
binding 1 {output=1, index=0, name="y0", shape=[4], stride_w=1, height=1, width=4, channels=1}
binding 2 {output=1, index=1, name="y1", shape=[4], stride_w=1, height=1, width=4, channels=1}
tile 0 {buffer_bytes=32, inbound_counters=1, step=[1]}
view 0 {address=0, value=4294967295, ring_rows=1, y1=1, x1=4, height=1, width=4, channels=1, row_pitch=16, col_pitch=4, channel_pitch=4}
view 1 {address=16, value=4294967295, ring_rows=1, y1=1, x1=4, height=1, width=4, channels=1, row_pitch=16, col_pitch=4, channel_pitch=4}
route 0 [{tile=1, view=0, counter=128}, {tile=1, view=1, counter=128}]
route 1 [{tile=1, view=2, counter=128}]
route 2 [{tile=1, counter=129}]
route 3 [{tile=0, view=1, counter=128}]
q2.load b0 dst=v0(0,0) h=1 w=4
q1.send r0 a=v0(0,0) h=1 w=4 wait q2>=1
q1.send r1 a=v0(0,0) h=1 w=4
q1.signal r2
q1.send r3 a=v0(0,0) h=1 w=4
q2.store b2 a=v1(0,0) h=1 w=4 wait i128>=1
tile 1 {buffer_bytes=20, inbound_counters=2, step=[3, 1]}
view 0 {address=0, value=4294967295, ring_rows=1, y1=1, x1=2, height=1, width=4, channels=1, row_pitch=8, col_pitch=4, channel_pitch=4}
view 1 {address=8, value=4294967295, ring_rows=1, y1=1, x0=2, x1=4, height=1, width=4, channels=1, row_pitch=8, col_pitch=4, channel_pitch=4}
view 2 {address=16, value=4294967295, ring_rows=1, y0=1, y1=2, x1=1, height=2, width=4, channels=1, row_pitch=4, col_pitch=4, channel_pitch=4}
q0.nop
q0.nop
q0.wait wait i128>=3, i129>=1
q2.store b1 a=v0(0,0) h=1 w=2 wait i128>=3, i129>=1
q2.store b1 a=v1(0,2) h=1 w=2 x=2 wait q0>=3
