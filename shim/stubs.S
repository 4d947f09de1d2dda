// SPDX-License-Identifier: MIT
/*
 * Entries that must leave no frame of their own on the stack while the real function runs:
 * syscall(), whose six arguments may ask for anything, clone(), and vfork(), which returns twice on
 * one stack. The C side is interpose_syscall.c.
 */
#if defined(__x86_64__)
	.text

/* Both ask a C function, which has the caller's first three arguments and, as the fourth, where it returns to;
 * all argument registers come back. It returns, in %rax, where to go from here. */
	.globl	syscall
	.globl	clone
	.type	syscall, @function
	.type	clone, @function
syscall:
	.cfi_startproc
	leaq	sc_syscall_route(%rip), %rax
	jmp	1f
clone:
	leaq	sc_routes_clone(%rip), %rax
1:	pushq	%rdi
	.cfi_adjust_cfa_offset 8
	pushq	%rsi
	.cfi_adjust_cfa_offset 8
	pushq	%rdx
	.cfi_adjust_cfa_offset 8
	pushq	%rcx
	.cfi_adjust_cfa_offset 8
	pushq	%r8
	.cfi_adjust_cfa_offset 8
	pushq	%r9
	.cfi_adjust_cfa_offset 8
	subq	$8, %rsp
	.cfi_adjust_cfa_offset 8
	movq	56(%rsp), %rcx
	call	*%rax
	addq	$8, %rsp
	.cfi_adjust_cfa_offset -8
	popq	%r9
	.cfi_adjust_cfa_offset -8
	popq	%r8
	.cfi_adjust_cfa_offset -8
	popq	%rcx
	.cfi_adjust_cfa_offset -8
	popq	%rdx
	.cfi_adjust_cfa_offset -8
	popq	%rsi
	.cfi_adjust_cfa_offset -8
	popq	%rdi
	.cfi_adjust_cfa_offset -8
	jmp	*%rax
	.cfi_endproc
	.size	syscall, . - syscall
	.size	clone, . - clone

	.globl	dlopen
	.type	dlopen, @function
dlopen:
	.cfi_startproc
	pushq	%rdi
	.cfi_adjust_cfa_offset 8
	call	sc_routes_dlopen	/* %rax: the real one; %rdx: its flags */
	popq	%rdi
	.cfi_adjust_cfa_offset -8
	movl	%edx, %esi
	jmp	*%rax
	.cfi_endproc
	.size	dlopen, . - dlopen

/*
 * The child returns first and overwrites the stack that its parent returns on, so the return
 * address waits in thread storage, which both share.
 */
	.globl	vfork
	.globl	__vfork
	.type	vfork, @function
	.type	__vfork, @function
vfork:
__vfork:
	.cfi_startproc
	subq	$8, %rsp
	.cfi_adjust_cfa_offset 8
	call	sc_routes_begin_vfork	/* %rax: the real one; %rdx: is it to be followed? */
	addq	$8, %rsp
	.cfi_adjust_cfa_offset -8
	testq	%rdx, %rdx
	jne	1f
	jmp	*%rax
1:	movq	return_address@gottpoff(%rip), %rdx
	popq	%fs:(%rdx)
	.cfi_adjust_cfa_offset -8
	call	*%rax
	movq	return_address@gottpoff(%rip), %rdx
	pushq	%fs:(%rdx)
	.cfi_adjust_cfa_offset 8
	pushq	%rax
	.cfi_adjust_cfa_offset 8
	movl	%eax, %edi
	call	sc_routes_end_vfork
	popq	%rax
	.cfi_adjust_cfa_offset -8
	ret
	.cfi_endproc
	.size	vfork, . - vfork
	.size	__vfork, . - __vfork

/*
 * long sc_stubs_clone_thread(flags, stack_top, parent_tid, child_tid, storage, run, body): clone(2);
 * the child calls run(body) on the new stack and ends its thread.
 */
	.globl	sc_stubs_clone_thread
	.hidden	sc_stubs_clone_thread
	.type	sc_stubs_clone_thread, @function
sc_stubs_clone_thread:
	.cfi_startproc
	movq	8(%rsp), %rax
	andq	$-16, %rsi
	subq	$16, %rsi
	movq	%r9, (%rsi)
	movq	%rax, 8(%rsi)
	movq	%rcx, %r10
	movl	$56, %eax		/* clone: flags, stack, parent_tid, child_tid, storage */
	syscall
	testq	%rax, %rax
	jz	1f
	ret
1:	.cfi_undefined rip
	xorl	%ebp, %ebp
	popq	%rax
	popq	%rdi
	call	*%rax
	xorl	%edi, %edi
	movl	$60, %eax		/* exit */
	syscall
	.cfi_endproc
	.size	sc_stubs_clone_thread, . - sc_stubs_clone_thread

	.section .tbss, "awT", @nobits
	.balign	8
	.type	return_address, @object
	.size	return_address, 8
return_address:
	.zero	8

#elif defined(__aarch64__)
	.text

	.macro ask function
	stp	x29, x30, [sp, -80]!
	.cfi_adjust_cfa_offset 80
	.cfi_rel_offset x30, 8
	stp	x0, x1, [sp, 16]
	stp	x2, x3, [sp, 32]
	stp	x4, x5, [sp, 48]
	str	x6, [sp, 64]
	mov	x3, x30
	bl	\function
	mov	x16, x0
	ldp	x0, x1, [sp, 16]
	ldp	x2, x3, [sp, 32]
	ldp	x4, x5, [sp, 48]
	ldr	x6, [sp, 64]
	ldp	x29, x30, [sp], 80
	.cfi_adjust_cfa_offset -80
	.cfi_restore x30
	.endm

	.globl	syscall
	.type	syscall, %function
syscall:
	.cfi_startproc
	ask	sc_syscall_route
	br	x16
	.cfi_endproc
	.size	syscall, . - syscall

	.globl	clone
	.type	clone, %function
clone:
	.cfi_startproc
	ask	sc_routes_clone
	br	x16
	.cfi_endproc
	.size	clone, . - clone

	.globl	dlopen
	.type	dlopen, %function
dlopen:
	.cfi_startproc
	stp	x30, x0, [sp, -16]!
	.cfi_adjust_cfa_offset 16
	.cfi_rel_offset x30, 0
	bl	sc_routes_dlopen
	mov	x16, x0
	ldp	x30, x0, [sp], 16
	.cfi_adjust_cfa_offset -16
	.cfi_restore x30
	br	x16
	.cfi_endproc
	.size	dlopen, . - dlopen

	.globl	vfork
	.globl	__vfork
	.type	vfork, %function
	.type	__vfork, %function
vfork:
__vfork:
	.cfi_startproc
	stp	x29, x30, [sp, -16]!
	.cfi_adjust_cfa_offset 16
	.cfi_rel_offset x30, 8
	bl	sc_routes_begin_vfork
	ldp	x29, x30, [sp], 16
	.cfi_adjust_cfa_offset -16
	.cfi_restore x30
	cbnz	x1, 1f
	br	x0
1:	mrs	x2, tpidr_el0
	adrp	x3, :gottprel:return_address
	ldr	x3, [x3, :gottprel_lo12:return_address]
	str	x30, [x2, x3]
	blr	x0
	mrs	x2, tpidr_el0
	adrp	x3, :gottprel:return_address
	ldr	x3, [x3, :gottprel_lo12:return_address]
	ldr	x30, [x2, x3]
	stp	x0, x30, [sp, -16]!
	.cfi_adjust_cfa_offset 16
	.cfi_rel_offset x30, 8
	bl	sc_routes_end_vfork
	ldp	x0, x30, [sp], 16
	.cfi_adjust_cfa_offset -16
	.cfi_restore x30
	ret
	.cfi_endproc
	.size	vfork, . - vfork
	.size	__vfork, . - __vfork

	.globl	sc_stubs_clone_thread
	.hidden	sc_stubs_clone_thread
	.type	sc_stubs_clone_thread, %function
sc_stubs_clone_thread:
	.cfi_startproc
	and	x1, x1, -16
	stp	x5, x6, [x1, -16]!
	mov	x9, x3
	mov	x3, x4			/* clone: flags, stack, parent_tid, storage, child_tid */
	mov	x4, x9
	mov	x8, 220
	svc	0
	cbz	x0, 1f
	ret
1:	.cfi_undefined x30
	mov	x29, 0
	ldp	x9, x0, [sp], 16
	blr	x9
	mov	x0, 0
	mov	x8, 93			/* exit */
	svc	0
	.cfi_endproc
	.size	sc_stubs_clone_thread, . - sc_stubs_clone_thread

	.section .tbss, "awT", %nobits
	.balign	8
	.type	return_address, %object
	.size	return_address, 8
return_address:
	.zero	8
#elif defined(__i386__)
	.text

	.globl	syscall
	.type	syscall, @function
syscall:
	.cfi_startproc
	subl	$12, %esp
	.cfi_adjust_cfa_offset 12
	pushl	12(%esp)		/* where it returns to */
	.cfi_adjust_cfa_offset 4
	pushl	$0
	.cfi_adjust_cfa_offset 4
	pushl	28(%esp)		/* first argument */
	.cfi_adjust_cfa_offset 4
	pushl	28(%esp)		/* number */
	.cfi_adjust_cfa_offset 4
	call	sc_syscall_route	/* %eax: where to go */
	addl	$28, %esp
	.cfi_adjust_cfa_offset -28
	jmp	*%eax
	.cfi_endproc
	.size	syscall, . - syscall

	.globl	clone
	.type	clone, @function
clone:
	.cfi_startproc
	pushl	12(%esp)
	.cfi_adjust_cfa_offset 4
	pushl	12(%esp)
	.cfi_adjust_cfa_offset 4
	pushl	12(%esp)
	.cfi_adjust_cfa_offset 4
	call	sc_routes_clone
	addl	$12, %esp
	.cfi_adjust_cfa_offset -12
	jmp	*%eax
	.cfi_endproc
	.size	clone, . - clone

/* A struct comes back in memory whose address is the first argument, which the callee pops. */
	.globl	dlopen
	.type	dlopen, @function
dlopen:
	.cfi_startproc
	subl	$28, %esp
	.cfi_adjust_cfa_offset 28
	leal	16(%esp), %eax
	movl	%eax, (%esp)
	movl	32(%esp), %eax
	movl	%eax, 4(%esp)
	movl	36(%esp), %eax
	movl	%eax, 8(%esp)
	call	sc_routes_dlopen
	.cfi_adjust_cfa_offset -4
	movl	12(%esp), %eax		/* the real one */
	movl	16(%esp), %edx		/* its flags */
	addl	$24, %esp
	.cfi_adjust_cfa_offset -24
	movl	%edx, 8(%esp)
	jmp	*%eax
	.cfi_endproc
	.size	dlopen, . - dlopen

/* Into %ecx: where the return address lies, from %gs. */
	.macro place_of_return_address
	call	99f
	.cfi_adjust_cfa_offset 4
99:	popl	%ecx
	.cfi_adjust_cfa_offset -4
	addl	$_GLOBAL_OFFSET_TABLE_ + (. - 99b), %ecx
	movl	return_address@gotntpoff(%ecx), %ecx
	.endm

	.globl	vfork
	.globl	__vfork
	.type	vfork, @function
	.type	__vfork, @function
vfork:
__vfork:
	.cfi_startproc
	subl	$28, %esp
	.cfi_adjust_cfa_offset 28
	leal	16(%esp), %eax
	movl	%eax, (%esp)
	call	sc_routes_begin_vfork
	.cfi_adjust_cfa_offset -4
	movl	12(%esp), %eax		/* the real one */
	movl	16(%esp), %edx		/* is it to be followed? */
	addl	$24, %esp
	.cfi_adjust_cfa_offset -24
	testl	%edx, %edx
	jne	1f
	jmp	*%eax
1:	place_of_return_address
	popl	%gs:(%ecx)
	.cfi_adjust_cfa_offset -4
	call	*%eax
	place_of_return_address
	pushl	%gs:(%ecx)
	.cfi_adjust_cfa_offset 4
	pushl	%eax
	.cfi_adjust_cfa_offset 4
	subl	$4, %esp
	.cfi_adjust_cfa_offset 4
	pushl	%eax
	.cfi_adjust_cfa_offset 4
	call	sc_routes_end_vfork
	addl	$8, %esp
	.cfi_adjust_cfa_offset -8
	popl	%eax
	.cfi_adjust_cfa_offset -4
	ret
	.cfi_endproc
	.size	vfork, . - vfork
	.size	__vfork, . - __vfork

	.globl	sc_stubs_clone_thread
	.hidden	sc_stubs_clone_thread
	.type	sc_stubs_clone_thread, @function
sc_stubs_clone_thread:
	.cfi_startproc
	pushl	%ebx
	.cfi_adjust_cfa_offset 4
	.cfi_rel_offset ebx, 0
	pushl	%esi
	.cfi_adjust_cfa_offset 4
	.cfi_rel_offset esi, 0
	pushl	%edi
	.cfi_adjust_cfa_offset 4
	.cfi_rel_offset edi, 0
	movl	20(%esp), %ecx
	andl	$-16, %ecx
	subl	$16, %ecx
	movl	36(%esp), %eax
	movl	%eax, (%ecx)
	movl	40(%esp), %eax
	movl	%eax, 4(%ecx)
	movl	16(%esp), %ebx
	movl	24(%esp), %edx
	movl	32(%esp), %esi
	movl	28(%esp), %edi
	movl	$120, %eax		/* clone: flags, stack, parent_tid, storage, child_tid */
	int	$0x80
	testl	%eax, %eax
	jz	1f
	popl	%edi
	.cfi_adjust_cfa_offset -4
	.cfi_restore edi
	popl	%esi
	.cfi_adjust_cfa_offset -4
	.cfi_restore esi
	popl	%ebx
	.cfi_adjust_cfa_offset -4
	.cfi_restore ebx
	ret
1:	.cfi_undefined eip
	xorl	%ebp, %ebp
	popl	%eax
	popl	%edx
	subl	$8, %esp
	movl	%edx, (%esp)
	call	*%eax
	xorl	%ebx, %ebx
	movl	$1, %eax		/* exit */
	int	$0x80
	.cfi_endproc
	.size	sc_stubs_clone_thread, . - sc_stubs_clone_thread

	.section .tbss, "awT", @nobits
	.balign	4
	.type	return_address, @object
	.size	return_address, 4
return_address:
	.zero	4
#endif

	.section .note.GNU-stack, "", %progbits
