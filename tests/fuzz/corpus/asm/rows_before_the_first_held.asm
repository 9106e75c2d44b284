isa 2
arch "base: clsa\n"
binding 0 {name="x", shape=[1, 5, 2, 1], stride_h=1, stride_c=2, height=2, width=1, channels=5, node=4294967295}
binding 1 {output=1, name="y", shape=[1, 5, 2, 1], stride_h=1, stride_c=2, height=2, width=1, channels=5, node=4294967295}
tile 0 {buffer_bytes=140}
view 0 {address=100, ring_rows=2, y1=2, x1=1, height=2, width=1, channels=5, row_pitch=20, col_pitch=20, channel_pitch=4, value=4294967295}
view 1 {address=96, ring_rows=2, y0=1, y1=2, x1=1, height=2, width=1, channels=5, row_pitch=20, col_pitch=20, channel_pitch=4, value=4294967295}
view 2 {address=100, ring_rows=1, y0=1, y1=2, x1=1, height=2, width=1, channels=5, row_pitch=20, col_pitch=20, channel_pitch=4, value=4294967295}
0: q2.load b0 dst=v2(1,0) h=1 w=1 y=1
1: q2.store b1 a=v2(1,0) h=1 w=1 y=1 wait q2>=1
2: q2.load b0 dst=v0(0,0) h=2 w=1 wait q2>=2
3: q2.store b1 a=v0(0,0) h=1 w=1 wait q2>=3
