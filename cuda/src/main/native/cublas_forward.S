/*
 * libcublas.so.12 made of trampolines: each function jumps to what its slot holds, with every register and the stack as
 * the caller left them, so no prototype is needed. CublasForward.java fills the slots from a newer cuBLAS; from 12.6 to
 * 13 no function was removed and no prototype or enumeration value changed. No C library is needed.
 */
        .macro forward name
        .text
        .p2align 4
        .globl  \name
        .type   \name, @function
\name:
        .cfi_startproc
        endbr64
        jmp     *.Lslot_\name(%rip)
        .cfi_endproc
        .size   \name, . - \name

        .data
        .p2align 3
.Lslot_\name:
        .quad   .Lnot_ready

        .section .rodata.names, "a", @progbits
.Lname_\name:
        .asciz  "\name"

        .section .data.rel.ro.table, "aw", @progbits
        .quad   .Lname_\name
        .quad   .Lslot_\name
        .endm

        .macro  public name
        .globl  \name
        .type   \name, @function
\name:
        endbr64
        .endm

        .text
/* Before the slots are filled: CUBLAS_STATUS_NOT_INITIALIZED. */
.Lnot_ready:
        endbr64
        movl    $1, %eax
        ret

/* What a function that the newer cuBLAS lacks becomes: CUBLAS_STATUS_NOT_SUPPORTED. */
        public  elbo4j_cublas_forward_missing
        movl    $15, %eax
        ret
        .size   elbo4j_cublas_forward_missing, . - elbo4j_cublas_forward_missing

/* The same for the functions that return text. */
        public  elbo4j_cublas_forward_missing_text
        leaq    .Ltext(%rip), %rax
        ret
        .size   elbo4j_cublas_forward_missing_text, . - elbo4j_cublas_forward_missing_text

        .section .rodata.names, "a", @progbits
.Ltext: .asciz  "not supported by this cuBLAS"

/* Pairs of pointers, name and slot; a null name ends them. */
        .section .data.rel.ro.table, "aw", @progbits
        .p2align 3
        .globl  elbo4j_cublas_forward_table
        .type   elbo4j_cublas_forward_table, @object
elbo4j_cublas_forward_table:

#include "cublas_functions.inc"

        .section .data.rel.ro.table, "aw", @progbits
        .quad   0, 0
        .size   elbo4j_cublas_forward_table, . - elbo4j_cublas_forward_table

        .section .note.GNU-stack, "", @progbits
