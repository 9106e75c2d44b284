; A patch of 2 x 2 pixels over 3 x 5: 2 x 3 products of 8 phases each.
isa 2
arch "base: clsa\nmvm_cycles: 0\nphase_cycles: 1\nadc_columns_per_cycle: 8\ndac_bits: 1\ncell_bits: 2\n"
node 0 {name="layer"}
section 0 "weights" hex { 00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000 }
image 0 {k=4, n=4}
tile 0 {buffer_bytes=120}
view 0 {ring_rows=3, y1=3, x1=5, height=3, width=5, channels=1, row_pitch=20, col_pitch=4, channel_pitch=4}
view 1 {address=60, ring_rows=3, y1=3, x1=5, height=3, width=5, channels=1, row_pitch=20, col_pitch=4, channel_pitch=4}
group 0 {kernel_h=1, kernel_w=1, stride_h=1, stride_w=1, dilation_h=1, dilation_w=1, in_channels=1, patch_h=2, patch_w=2} [{k=2, n=2}, {k0=2, k=2, n0=2, n=2, pe=1}]
q0.mvm g0 dst=v1(0,0) h=3 w=5                         ; [0, 48]
