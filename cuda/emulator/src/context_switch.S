# void emu_switch(void** save, void* load): leaves the running stack, storing its pointer in *save, and continues on the
# stack `load`. Only what the System V ABI calls callee-saved is kept; MXCSR and the x87 control word are not, because
# device code never changes them (saving them would double the price of a switch).
#
# emu_switch_tail is the half that continues. The fault handler sets RSP to a stack pointer saved here and RIP to this
# label, which abandons the faulting stack as if it had switched away by itself.
    .text
    .globl emu_switch
    .hidden emu_switch
    .type emu_switch, @function
emu_switch:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    .globl emu_switch_tail
    .hidden emu_switch_tail
emu_switch_tail:
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
    .size emu_switch, . - emu_switch
    .section .note.GNU-stack, "", @progbits
