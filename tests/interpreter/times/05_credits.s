; Five rows through a ring of two: a row is sent when the one before last is done with.
isa 2
arch "base: clsa\nhop_cycles: 1\n"
node 0 {name="layer"}
section 0 "weights" hex { 00000000 }
image 0 {k=1, n=1}
tile 0 {buffer_bytes=80, inbound_counters=1}
view 0 {ring_rows=5, y1=5, x1=2, height=5, width=2, channels=1, row_pitch=8, col_pitch=4, channel_pitch=4}
view 1 {address=40, ring_rows=5, y1=5, x1=2, height=5, width=2, channels=1, row_pitch=8, col_pitch=4, channel_pitch=4}
group 0 {kernel_h=1, kernel_w=1, stride_h=1, stride_w=1, dilation_h=1, dilation_w=1, in_channels=1} [{k=1, n=1}]
route 0 [{tile=1, counter=128}]
q0.mvm g0 dst=v1(0,0) h=1 w=2                                      ; [0, 2]
q2.send r0 a=v1(0,0) h=1 w=2 wait q0>=1                            ; [2, 2]
q0.mvm g0 dst=v1(1,0) h=1 w=2                                      ; [2, 4]
q2.send r0 a=v1(1,0) h=1 w=2 wait q0>=2                            ; [4, 4]
q0.mvm g0 dst=v1(2,0) h=1 w=2                                      ; [4, 6]
q2.send r0 a=v1(2,0) h=1 w=2 wait q0>=3, i128>=1                   ; [10, 10]
q0.mvm g0 dst=v1(3,0) h=1 w=2                                      ; [6, 8]
q2.send r0 a=v1(3,0) h=1 w=2 wait q0>=4, i128>=2                   ; [16, 16]
q0.mvm g0 dst=v1(4,0) h=1 w=2                                      ; [8, 10]
q2.send r0 a=v1(4,0) h=1 w=2 wait q0>=5, i128>=3                   ; [22, 22]
tile 1 {buffer_bytes=136, inbound_counters=1}
view 0 {ring_rows=2, y1=5, x1=2, height=5, width=2, channels=1, row_pitch=8, col_pitch=4, channel_pitch=4}
view 1 {address=16, ring_rows=5, y1=5, x1=6, height=5, width=6, channels=1, row_pitch=24, col_pitch=4, channel_pitch=4}
group 0 {kernel_h=1, kernel_w=1, stride_h=1, stride_w=1, dilation_h=1, dilation_w=1, pad_left=2, in_channels=1} [{k=1, n=1}]
route 0 [{counter=128}]
q0.mvm g0 dst=v1(0,0) h=1 w=6 wait i128>=1                         ; [3, 9]
q0.signal r0                                                       ; [3, 9]
q0.mvm g0 dst=v1(1,0) h=1 w=6 wait i128>=2                         ; [9, 15]
q0.signal r0                                                       ; [9, 15]
q0.mvm g0 dst=v1(2,0) h=1 w=6 wait i128>=3                         ; [15, 21]
q0.signal r0                                                       ; [15, 21]
q0.mvm g0 dst=v1(3,0) h=1 w=6 wait i128>=4                         ; [21, 27]
q0.mvm g0 dst=v1(4,0) h=1 w=6 wait i128>=5                         ; [27, 33]
