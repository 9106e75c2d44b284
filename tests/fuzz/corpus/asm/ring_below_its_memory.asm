isa 2
arch "base: clsa\n"
binding 0 {name="x", shape=[1, 1, 2, 1], stride_h=1, stride_w=1, height=2, width=1, channels=1, node=4294967295}
binding 1 {output=1, name="y", shape=[1, 1, 2, 1], stride_h=1, stride_w=1, height=2, width=1, channels=1, node=4294967295}
tile 0 {buffer_bytes=256}
view 0 {address=64, ring_rows=2, y0=1, y1=5, x1=1, height=8, width=8, channels=1, row_pitch=32, col_pitch=4, channel_pitch=4, value=4294967295}
view 1 {address=48, ring_rows=2, y0=1, y1=2, x1=1, height=8, width=8, channels=1, row_pitch=32, col_pitch=4, channel_pitch=4, value=4294967295}
0: q2.load b0 dst=v0(1,0) h=1 w=1
1: q2.load b0 dst=v1(1,0) h=1 w=1 y=1
2: q2.store b1 a=v1(1,0) h=1 w=1 wait q2>=2
3: q2.store b1 a=v0(1,0) h=1 w=1 y=1 wait q2>=2
