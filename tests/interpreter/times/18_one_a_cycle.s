; Where completion takes time a queue ends one instruction a cycle, and a counter counts one message a cycle.
isa 2
arch "base: clsa\ntopology: mesh\nhop_cycles: 3\ncomplete_cycles: 2\n"
node 0 {name="layer"}
section 0 "none" hex { }
tile 0 {buffer_bytes=8}
view 0 {ring_rows=1, y1=1, x1=2, height=1, width=2, channels=1, row_pitch=8, col_pitch=4, channel_pitch=4}
route 0 [{tile=3, counter=128}, {tile=1, counter=128}]
route 1 [{tile=1, counter=128}]
route 2 [{tile=1, counter=129}]
q1.signal r0                                                       ; [0, 0, 0, 2]
q1.send r1 a=v0(0,0) h=1 w=2                                       ; [0, 0, 1, 3]
q1.send r2 a=v0(0,0) h=1 w=2                                       ; [0, 0, 2, 4]
tile 1 {buffer_bytes=8, inbound_counters=2}
view 0 {ring_rows=1, y1=1, x1=2, height=1, width=2, channels=1, row_pitch=8, col_pitch=4, channel_pitch=4}
q0.wait wait i128>=1                                               ; [0, 8, 8, 10]
q1.wait wait i128>=2                                               ; [0, 9, 9, 11]
q2.wait wait i129>=1                                               ; [0, 7, 7, 9]
tile 2 {buffer_bytes=0}
tile 3 {buffer_bytes=0, inbound_counters=1}
q0.wait wait i128>=1                                               ; [0, 8, 8, 10]
