; A SEND is complete when its source has been read, after 4 cycles on the port; the way takes 20 more.
isa 2
arch "base: clsa\nlink_bytes_per_cycle: 4\nhop_cycles: 20\nlanes: 1\n"
node 0 {name="layer"}
section 0 "none" hex { }
tile 0 {buffer_bytes=32}
view 0 {ring_rows=1, y1=1, x1=2, height=1, width=2, channels=2, row_pitch=16, col_pitch=8, channel_pitch=4}
view 1 {address=16, ring_rows=1, y1=1, x1=2, height=1, width=2, channels=2, row_pitch=16, col_pitch=8, channel_pitch=4}
program 0 {arity=1} [mov a]
route 0 [{tile=1, counter=128}]
route 1 [{tile=1, view=1, counter=128}]
q1.send r0 a=v0(0,0) h=1 w=2                                       ; [0, 4]
q1.send r1 a=v1(0,0) h=1 w=2                                       ; [4, 8]
q0.vmap p0 dst=v0(0,0) h=1 w=2 a=v1(0,0) wait q1>=1                ; [4, 8]
tile 1 {buffer_bytes=32, inbound_counters=1}
view 0 {ring_rows=1, y1=1, x1=2, height=1, width=2, channels=2, row_pitch=16, col_pitch=8, channel_pitch=4}
view 1 {address=16, ring_rows=1, y1=1, x1=2, height=1, width=2, channels=2, row_pitch=16, col_pitch=8, channel_pitch=4}
q0.wait wait i128>=1                                               ; [24, 24]
