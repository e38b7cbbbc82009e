# SPDX-License-Identifier: GPL-2.0-only
"""All mutants of a source file: one small change each."""

import re
from dataclasses import dataclass

import csource

MAINTENANCE = re.compile(r"(tlb_|dcache_|icache_|table_write_barrier|clear_page|scrub|flush|clean_for_guest|WRITE_ONCE)")
LOCK = re.compile(r"spin_(un)?lock$")
ASSERT = {"hyp_assert", "panic", "_Static_assert"}
# Constants whose value is an answer or a state: one more is another one.
CODE = re.compile(r"(STOCKADE_(E|OK)|PSCI_RET|PSCI_AFF|SMCCC_RET|FFA_|TRNG_RET|PAGE_(HO|HY|GU|MO|NO)|VM_[A-Z]+$|"
                  r"VCPU_|CPU_O|HOST_FAULT|HVC_)")
COMPARE = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "=="}
SWAP = {"+": "-", "-": "+", "+=": "-=", "-=": "+=", "|=": "=", "&=": "=", "++": "--", "--": "++"}
# What a test of the code can say of it, in the order of the report.
KINDS = ("condition", "operand", "comparison", "constant", "arithmetic", "bits", "assignment", "call", "maintenance",
         "lock", "assertion", "log", "return", "answer", "jump", "case")


@dataclass
class Mutant:
    file: str
    where: str  # function, variable or macro
    kind: str
    start: int  # of the text replaced
    end: int
    put: str
    context: tuple  # offsets of the statement or line around it
    form: str  # "expression" or "statement": can be chosen at run time; "alone": must be compiled in
    nth: int = 1  # of those that read the same


class Finder:
    """Collects the mutants of one piece."""

    def __init__(self, file, text, piece):
        self.file, self.text, self.piece = file, text, piece
        self.found = []
        self.context = (piece.start, piece.end)
        self.constant = piece.kind != "function"  # what the compiler must know

    def source(self, node):
        return self.text[node.start:node.end]

    def replace(self, kind, node, put, form="expression"):
        if self.constant:
            form = "alone"
        self.found.append(Mutant(self.file, self.piece.name, kind, node.start, node.end, put, self.context, form))

    def operator(self, kind, node, token, put):
        self.replace(kind, node, self.text[node.start:token.start] + put + self.text[token.end:node.end])

    # --- expressions ---

    def value(self, node, near=False, fixed=False):
        """near: an operand of an ordering comparison; fixed: of a comparison for equality."""
        kind = node.kind
        if kind == "number":
            if not fixed:
                self.replace("constant", node, "(%s + 1)" % node.op)
                if near and not re.match(r"0[uUlL]*$", node.op):
                    self.replace("constant", node, "(%s - 1)" % node.op)
        elif kind == "name":
            self.name(node, near, fixed)
        elif kind == "binary":
            self.binary(node)
        elif kind == "unary":
            if node.op in ("!", "~", "-"):
                self.replace("condition" if node.op == "!" else "bits", node, self.source(node.kids[0]))
            elif node.op in ("++", "--"):
                self.operator("arithmetic", node, node.kids[1], SWAP[node.op])
            self.value(node.kids[0])
        elif kind == "post":
            self.operator("arithmetic", node, node.kids[1], SWAP[node.op])
            self.value(node.kids[0])
        elif kind == "assign":
            left, right, op = node.kids
            if op.text in SWAP:
                self.operator("arithmetic", node, op, SWAP[op.text])
            self.value(left)
            self.value(right)
        elif kind == "ternary":
            self.condition(node.kids[0])
            self.value(node.kids[1])
            self.value(node.kids[2])
        elif kind == "item":
            if self.text[node.start] == "." and self.source(node.kids[0]) not in ("0", "false", "NULL"):
                self.replace("assignment", node.kids[0], "0")
            self.value(node.kids[0])
        elif kind in ("paren", "cast"):
            self.value(node.kids[0], near, fixed)
        elif kind == "call" and node.op in ASSERT:
            return
        else:
            for kid in node.kids:
                self.value(kid)

    def name(self, node, near, fixed):
        if node.op in ("true", "false"):
            self.replace("answer", node, "false" if node.op == "true" else "true")
        elif near and node.op.isupper() and len(node.op) > 1:
            self.replace("constant", node, "(%s + 1)" % node.op)
            self.replace("constant", node, "(%s - 1)" % node.op)
        elif not fixed and CODE.match(node.op) and node.op.isupper():
            self.replace("answer", node, "(%s + 1)" % node.op)

    def binary(self, node):
        left, right, op = node.kids
        if node.op in ("&&", "||"):
            self.replace("operand", node, self.source(left))
            self.replace("operand", node, self.source(right))
        elif node.op in COMPARE:
            self.operator("comparison", node, op, COMPARE[node.op])
        elif node.op in ("|", "&", "^"):
            self.replace("bits", node, self.source(left))
            self.replace("bits", node, self.source(right))
        elif node.op in SWAP:
            self.operator("arithmetic", node, op, SWAP[node.op])
        else:
            self.replace("arithmetic", node, self.source(left))
        ordering = node.op in ("<", "<=", ">", ">=")
        for kid in (left, right):
            self.value(kid, near=ordering, fixed=node.op in ("==", "!="))

    def condition(self, node):
        if not (node.kind == "unary" and node.op == "!") and node.op not in ("==", "!="):
            self.replace("condition", node, "!(%s)" % self.source(node))
        self.value(node)

    # --- statements ---

    def block(self, node, outermost=False):
        for kid in node.kids:
            self.statement(kid, last=outermost and kid is node.kids[-1])

    def statement(self, node, last=False):
        if node.kind == "block":
            self.block(node)
            return
        self.context = (node.start, node.end)
        visit = getattr(self, "on_" + node.kind, None)
        if visit:
            visit(node, last)

    def bodies(self, kids):
        for kid in kids:
            self.statement(kid)

    def on_if(self, node, _last):
        cond, *bodies = node.kids
        self.condition(cond)
        if bodies[0].kind not in ("return", "goto", "continue", "break", "expression"):
            self.replace("condition", cond, "0")
        first = bodies[0].kids[-1] if bodies[0].kind == "block" and bodies[0].kids else bodies[0]
        if first.kind not in ("return", "goto", "continue", "break") and len(bodies) == 1:
            self.replace("condition", cond, "1")
        self.bodies(bodies)

    def on_while(self, node, _last):
        self.condition(node.kids[0])
        self.replace("condition", node.kids[0], "0")
        self.bodies(node.kids[1:])

    def on_for(self, node, _last):
        first, cond, _step, body = node.kids
        if first.kind == "declaration":
            for kid in first.kids:
                self.value(kid)
        elif first.kind == "expression":
            self.value(first.kids[0])
        for kid in cond:
            self.value(kid)
            self.replace("condition", kid, "0")
        self.statement(body)

    def on_switch(self, node, _last):
        self.value(node.kids[0])
        self.bodies(node.kids[1:])

    def on_label(self, node, _last):
        if node.op in ("case", "default"):
            self.replace("case", node, "", "alone")

    def on_return(self, node, last):
        if not last:
            self.replace("return", node, ";", "statement")
        for kid in node.kids:
            if kid.kind == "binary" and (kid.op in COMPARE or kid.op in ("&&", "||")):
                self.condition(kid)
                continue
            if kid.kind not in ("number", "name", "ternary", "unary") or \
                    (kid.kind == "name" and not kid.op.isupper() and kid.op not in ("true", "false")):
                self.replace("answer", kid, "0")
            self.value(kid)

    def on_jump(self, node, _last):
        self.replace("jump", node, ";", "statement")

    on_break = on_continue = on_goto = on_jump

    def on_declaration(self, node, _last):
        pointer = "*" in self.source(node).split("=")[0]
        self.constant = self.source(node).startswith("static")
        if re.match(r"struct[^*]*$", self.source(node).split("=")[0]):
            pointer = True  # a copy of a structure: 0 is none
        for kid in node.kids:
            if not pointer and kid.kind not in ("braces", "compound", "number") and \
                    self.source(kid) not in ("false", "NULL"):
                self.replace("assignment", kid, "0")
            self.value(kid)
        self.constant = False

    def on_expression(self, node, _last):
        root = node.kids[0]
        kind = "assignment"
        if root.kind == "call":
            kind = ("assertion" if root.op in ASSERT else "log" if root.op == "log_line" else
                    "lock" if LOCK.match(root.op) else "maintenance" if MAINTENANCE.match(root.op) else "call")
        self.replace(kind, node, ";", "statement")
        if kind not in ("assertion", "log", "lock"):
            self.value(root)


def squeeze(text):
    return " ".join(re.sub(r"//[^\n]*|/\*.*?\*/", " ", text, flags=re.S).split())


def read(file, text, mutant):
    """The statement as it is and as the mutant has it."""
    begin, end = mutant.context
    was = text[begin:end]
    now = text[begin:mutant.start] + mutant.put + text[mutant.end:end]
    return squeeze(was), squeeze(now)


def of_file(file, text):
    """Mutants, and what could not be read."""
    found, unread = csource.pieces(text)
    out = []
    for piece in found:
        finder = Finder(file, text, piece)
        if piece.kind == "function":
            finder.block(piece.node, outermost=True)
        elif piece.kind == "macro":
            finder.value(piece.node, near=not piece.node.op.startswith("0x"))
        else:
            for kid in piece.node.kids:
                table(finder, kid)
        seen, reads = set(), {}
        for mutant in finder.found:
            key = (mutant.start, mutant.end, mutant.put)
            if key in seen or text[mutant.start:mutant.end] == mutant.put:
                continue
            seen.add(key)
            how = read(file, text, mutant)
            mutant.nth = reads[how] = reads.get(how, 0) + 1
            out.append(mutant)
    return out, unread


def table(finder, node):
    """A variable's initialiser: its lines are what is shown around a change."""
    if node.kind != "braces":
        finder.value(node)
        return
    for item in node.kids:
        finder.context = (item.start, item.end)
        finder.value(item)


def schema(text, chosen):
    """
    The source with all of the mutants in it, {number: Mutant}, none of them "alone": MUTANT(number) chooses one.
    Lines stay where they are.
    """
    spans = {}
    for number, mutant in chosen.items():
        spans.setdefault((mutant.start, -mutant.end), []).append((number, mutant))
    order = sorted(spans)

    def flat(put):
        return " ".join(put.split())

    def emit(start, end, inside):
        """text[start:end] with the spans in it, which are order[inside:]; and the index of the next one."""
        out, at = [], start
        while inside < len(order) and order[inside][0] < end:
            begin, stop = order[inside][0], -order[inside][1]
            out.append(text[at:begin])
            body, after = emit(begin, stop, inside + 1)
            # A statement's own deletion goes around what is done to its expression.
            for number, mutant in spans[order[inside]]:
                if mutant.form == "statement":
                    body = "{ if (!MUTANT(%d)) { %s } }" % (number, body)
                else:
                    body = "(MUTANT(%d) ? (%s) : (%s))" % (number, flat(mutant.put), body)
            out.append(body)
            at, inside = stop, after
        out.append(text[at:end])
        return "".join(out), inside

    return emit(0, len(text), 0)[0]
