; In flight: the third LOAD starts when the first is counted, the fourth when the port is free and the second is counted.
isa 2
arch "base: clsa\ndram_cycles: 10\ndram_bytes_per_cycle: 8\ninflight: 2\nstart_cycles: 1\ncomplete_cycles: 1\n"
node 0 {name="layer"}
section 0 "none" hex { }
binding 0 {name="x", shape=[4, 4, 2], stride_h=8, stride_w=2, stride_c=1, height=4, width=4, channels=2}
tile 0 {buffer_bytes=128}
view 0 {ring_rows=4, y1=4, x1=4, height=4, width=4, channels=2, row_pitch=32, col_pitch=8, channel_pitch=4}
q2.load b0 dst=v0(0,0) h=1 w=4                                     ; [0, 1, 15, 16]
q2.load b0 dst=v0(1,0) h=1 w=4 y=1                                 ; [0, 6, 20, 21]
q2.load b0 dst=v0(2,0) h=1 w=4 y=2                                 ; [0, 17, 31, 32]
q2.load b0 dst=v0(3,0) h=1 w=4 y=3                                 ; [0, 22, 36, 37]
q2.wait                                                            ; [0, 33, 37, 38]
