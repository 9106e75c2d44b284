; One hop to tile 1, two to tile 3, none to the own one.
isa 2
arch "base: clsa\ntopology: mesh\nhop_cycles: 3\n"
node 0 {name="layer"}
section 0 "none" hex { }
tile 0 {buffer_bytes=16, inbound_counters=1}
view 0 {ring_rows=1, y1=1, x1=2, height=1, width=2, channels=1, row_pitch=8, col_pitch=4, channel_pitch=4}
view 1 {address=8, ring_rows=1, y1=1, x1=2, height=1, width=2, channels=1, row_pitch=8, col_pitch=4, channel_pitch=4}
route 0 [{tile=1, counter=128}]
route 1 [{tile=3, counter=128}]
route 2 [{view=1, counter=128}]
q1.send r0 a=v0(0,0) h=1 w=2                                       ; [0, 0]
q1.send r1 a=v0(0,0) h=1 w=2                                       ; [0, 0]
q1.send r2 a=v0(0,0) h=1 w=2                                       ; [0, 0]
q0.wait wait i128>=1                                               ; [0, 0]
tile 1 {buffer_bytes=8, inbound_counters=1}
view 0 {ring_rows=1, y1=1, x1=2, height=1, width=2, channels=1, row_pitch=8, col_pitch=4, channel_pitch=4}
q0.wait wait i128>=1                                               ; [3, 3]
q0.nop                                                             ; [3, 3]
tile 2 {buffer_bytes=0}
tile 3 {buffer_bytes=8, inbound_counters=1}
view 0 {ring_rows=1, y1=1, x1=2, height=1, width=2, channels=1, row_pitch=8, col_pitch=4, channel_pitch=4}
q0.wait wait i128>=1                                               ; [6, 6]
