; A product takes 8 phases of f32 or 8 bits, 4 of 4 bits; in each the fullest PE's columns are read, 8 cells a cycle.
isa 2
arch "base: clsa\nmvm_cycles: 0\nphase_cycles: 1\nadc_columns_per_cycle: 8\ndac_bits: 1\ncell_bits: 2\n"
node 0 {name="layer"}
section 0 "weights" hex { 000000000000000000000000 }
section 1 "integers" hex { 010203 }
image 0 {k=1, n=3}
image 1 {section=1, k=1, n=3, element=i8, weight_bits=4}
tile 0 {buffer_bytes=84}
view 0 {ring_rows=1, y1=1, x1=3, height=1, width=3, channels=1, row_pitch=12, col_pitch=4, channel_pitch=4}
view 1 {address=12, ring_rows=1, y1=1, x1=3, height=1, width=3, channels=2, row_pitch=24, col_pitch=8, channel_pitch=4}
view 2 {address=36, ring_rows=1, y1=1, x1=3, height=1, width=3, channels=3, row_pitch=36, col_pitch=12, channel_pitch=4}
view 3 {address=72, element=u8, ring_rows=1, y1=1, x1=3, height=1, width=3, channels=1, row_pitch=3, col_pitch=1, channel_pitch=1}
view 4 {address=36, element=i32, ring_rows=1, y1=1, x1=3, height=1, width=3, channels=3, row_pitch=36, col_pitch=12, channel_pitch=4}
group 0 {kernel_h=1, kernel_w=1, stride_h=1, stride_w=1, dilation_h=1, dilation_w=1, in_channels=1} [{k=1, n=2}]
group 1 {kernel_h=1, kernel_w=1, stride_h=1, stride_w=1, dilation_h=1, dilation_w=1, in_channels=1} [{k=1, n=3, pe=1}]
group 2 {kernel_h=1, kernel_w=1, stride_h=1, stride_w=1, dilation_h=1, dilation_w=1, in_channels=1} [{k=1, n=1, pe=2}, {k=1, n0=1, n=2, pe=3}]
group 3 {source_view=3, kernel_h=1, kernel_w=1, stride_h=1, stride_w=1, dilation_h=1, dilation_w=1, in_channels=1, image=1, x_bits=4} [{k=1, n=3, pe=4}]
q0.mvm g0 dst=v1(0,0) h=1 w=3                         ; [0, 24]
q1.mvm g1 dst=v2(0,0) h=1 w=3                         ; [0, 48]
q2.mvm g2 dst=v2(0,0) h=1 w=3 wait q1>=1              ; [48, 72]
q3.mvm g3 dst=v4(0,0) h=1 w=3 wait q2>=1              ; [72, 84]
