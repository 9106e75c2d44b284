J@\[8
\[Nu_lGu}lX/f((ÚfYfnn{zn4dY}bZ}|Z9huu=euuwP}nideniKeepp