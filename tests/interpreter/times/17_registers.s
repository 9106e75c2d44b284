; Registers: 2 cycles from what an instruction waits for to its start, 3 from its end to its count, and as much before its messages leave.
isa 2
arch "base: clsa\nlink_bytes_per_cycle: 8\nhop_cycles: 5\nstart_cycles: 2\ncomplete_cycles: 3\n"
node 0 {name="layer"}
section 0 "weights" hex { 00000000 00000000 00000000 00000000 }
image 0 {k=1, n=2}
image 1 {k=4, n=1}
image 2 {k=2, n=1}
tile 0 {buffer_bytes=96}
view 0 {ring_rows=2, y1=2, x1=4, height=2, width=4, channels=1, row_pitch=16, col_pitch=4, channel_pitch=4}
view 1 {address=32, ring_rows=2, y1=2, x1=4, height=2, width=4, channels=2, row_pitch=32, col_pitch=8, channel_pitch=4}
group 0 {kernel_h=1, kernel_w=1, stride_h=1, stride_w=1, dilation_h=1, dilation_w=1, in_channels=1} [{k=1, n=2}]
route 0 [{tile=1, counter=128}]
route 1 [{tile=1, counter=129}]
q0.mvm g0 dst=v1(0,0) h=1 w=4                                      ; [0, 2, 6, 9]
q2.send r0 a=v1(0,0) h=1 w=4 wait q0>=1                            ; [0, 11, 15, 18]
q0.mvm g0 dst=v1(1,0) h=1 w=4                                      ; [0, 8, 12, 15]
q2.send r0 a=v1(1,0) h=1 w=4 wait q0>=2                            ; [0, 17, 21, 24]
q2.signal r1                                                       ; [0, 19, 22, 25]
tile 1 {buffer_bytes=96, inbound_counters=2}
view 0 {ring_rows=2, y1=2, x1=4, height=2, width=4, channels=2, row_pitch=32, col_pitch=8, channel_pitch=4}
view 1 {address=64, ring_rows=1, y1=1, x1=4, height=1, width=4, channels=1, row_pitch=16, col_pitch=4, channel_pitch=4}
view 2 {address=80, ring_rows=1, y1=1, x1=4, height=1, width=4, channels=1, row_pitch=16, col_pitch=4, channel_pitch=4}
group 0 {kernel_h=2, kernel_w=1, stride_h=1, stride_w=1, dilation_h=1, dilation_w=1, in_channels=2, image=1} [{k=4, n=1}]
group 1 {kernel_h=1, kernel_w=1, stride_h=1, stride_w=1, dilation_h=1, dilation_w=1, in_channels=2, image=2} [{k=2, n=1, pe=1}]
q1.mvm g1 dst=v2(0,0) h=1 w=4 wait i128>=1                         ; [0, 25, 29, 32]
q0.mvm g0 dst=v1(0,0) h=1 w=4 wait i128>=2                         ; [0, 31, 35, 38]
q2.wait wait i129>=1                                               ; [0, 32, 32, 35]
