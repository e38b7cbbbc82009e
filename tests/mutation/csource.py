# SPDX-License-Identifier: GPL-2.0-only
"""Reads the hypervisor's C sources as far as mutation needs it: tokens, statements, expressions.

Not a C compiler: it knows what the code style of this repository lets a function look like, and fails
loudly at what it does not know (SyntaxError).
"""

import re
from dataclasses import dataclass, field

TOKEN = re.compile(r"""
    (?P<space>\s+|//[^\n]*|/\*.*?\*/|\\\n)
  | (?P<directive>(?<=\n)\#(?:[^\n\\]|\\.|\\\n)*|^\#[^\n]*)
  | (?P<string>"(?:[^"\\]|\\.)*")
  | (?P<char>'(?:[^'\\]|\\.)*')
  | (?P<number>\d[\w.]*)
  | (?P<name>[A-Za-z_]\w*)
  | (?P<op>\.\.\.|<<=|>>=|->|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^]=|[-+*/%&|^~!<>=?:;,.(){}\[\]])
""", re.X | re.S)

TYPES = set("""u8 u16 u32 u64 s8 s16 s32 s64 bool void char short int long unsigned signed size_t pa_t ipa_t
const volatile static extern register struct union enum _Alignas inline""".split())

BINARY = {"||": 4, "&&": 5, "|": 6, "^": 7, "&": 8, "==": 9, "!=": 9, "<": 10, ">": 10, "<=": 10, ">=": 10,
          "<<": 11, ">>": 11, "+": 12, "-": 12, "*": 13, "/": 13, "%": 13}
ASSIGN = {"=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<=", ">>="}


@dataclass
class Token:
    kind: str
    text: str
    start: int
    end: int


@dataclass
class Node:
    """An expression or a statement; start and end are offsets into the source's text."""
    kind: str
    start: int
    end: int
    op: str = ""
    kids: list = field(default_factory=list)


def tokens(text, start=0, end=None):
    end = len(text) if end is None else end
    out = []
    at = start
    while at < end:
        match = TOKEN.match(text, at, end)
        if not match:
            raise SyntaxError("cannot read: %r" % text[at:at + 40])
        if match.lastgroup not in ("space", "directive"):
            out.append(Token(match.lastgroup, match.group(), match.start(), match.end()))
        at = match.end()
    return out


class Parser:
    """Statements and expressions of one piece of text."""

    def __init__(self, toks):
        self.toks = toks + [Token("end", "", toks[-1].end if toks else 0, 0)]
        self.at = 0

    # --- tokens ---

    @property
    def text(self):
        return self.toks[self.at].text

    @property
    def start(self):
        return self.toks[self.at].start

    @property
    def last_end(self):
        return self.toks[self.at - 1].end

    def take(self, *wanted):
        token = self.toks[self.at]
        if wanted and token.text not in wanted:
            raise SyntaxError("%r instead of %s at %d" % (token.text, "/".join(wanted), token.start))
        self.at += 1
        return token

    def accept(self, text):
        if self.text == text:
            self.at += 1
            return True
        return False

    def closing(self, at):
        """The index of the bracket that closes the one at `at`."""
        depth = 0
        for n in range(at, len(self.toks)):
            depth += self.toks[n].text in ("(", "[", "{")
            depth -= self.toks[n].text in (")", "]", "}")
            if not depth:
                return n
        raise SyntaxError("nothing closes %d" % self.toks[at].start)

    def is_type(self, first, last):
        """Do tokens [first, last) name a type?"""
        tag = False
        for token in self.toks[first:last]:
            if token.text in TYPES:
                tag = token.text in ("struct", "union", "enum")
            elif token.kind == "name" and tag:
                tag = False
            elif token.text not in ("*", "[", "]") and token.kind != "number":
                return False
        return first < last and self.toks[first].kind == "name"

    # --- expressions ---

    def expression(self):
        node = self.assignment()
        while self.text == ",":
            self.take()
            right = self.assignment()
            node = Node("comma", node.start, right.end, ",", [node, right])
        return node

    def assignment(self):
        left = self.conditional()
        if self.text in ASSIGN:
            op = self.take()
            right = self.assignment()
            return Node("assign", left.start, right.end, op.text, [left, right, op])
        return left

    def conditional(self):
        cond = self.binary(4)
        if not self.accept("?"):
            return cond
        yes = self.expression()
        self.take(":")
        no = self.conditional()
        return Node("ternary", cond.start, no.end, "?", [cond, yes, no])

    def binary(self, least):
        left = self.unary()
        while BINARY.get(self.text, 0) >= least:
            op = self.take()
            right = self.binary(BINARY[op.text] + 1)
            left = Node("binary", left.start, right.end, op.text, [left, right, op])
        return left

    def unary(self):
        token = self.toks[self.at]
        if token.text in ("!", "~", "-", "+", "*", "&", "++", "--"):
            self.take()
            kid = self.unary()
            return Node("unary", token.start, kid.end, token.text, [kid, token])
        if token.text in ("sizeof", "_Alignof"):
            self.take()
            if self.text == "(":
                self.at = self.closing(self.at) + 1
            else:
                self.unary()
            return Node("opaque", token.start, self.last_end)
        if token.text == "(":
            close = self.closing(self.at)
            if self.is_type(self.at + 1, close):
                self.at = close + 1
                if self.text == "{":
                    init = self.braces()
                    return Node("compound", token.start, init.end, "", [init])
                kid = self.unary()
                return Node("cast", token.start, kid.end, "", [kid])
        return self.postfix()

    def postfix(self):
        token = self.take()
        if token.text == "(":
            inner = self.expression()
            self.take(")")
            node = Node("paren", token.start, self.last_end, "", [inner])
        elif token.kind in ("name", "number", "char"):
            node = Node(token.kind, token.start, token.end, token.text)
        elif token.kind == "string":
            while self.toks[self.at].kind == "string":
                self.take()
            node = Node("string", token.start, self.last_end)
        else:
            raise SyntaxError("%r begins no expression, at %d" % (token.text, token.start))
        while True:
            if self.text == "(":
                node = self.call(node)
            elif self.accept("["):
                index = self.expression()
                self.take("]")
                node = Node("index", node.start, self.last_end, "", [node, index])
            elif self.text in (".", "->"):
                op = self.take()
                self.take()
                node = Node("member", node.start, self.last_end, op.text, [node])
            elif self.text in ("++", "--"):
                op = self.take()
                node = Node("post", node.start, op.end, op.text, [node, op])
            else:
                return node

    def call(self, function):
        close = self.closing(self.at)
        self.take("(")
        args = []
        while self.at < close:
            args.append(self.assignment())
            if self.at < close:
                self.take(",")
        self.take(")")
        return Node("call", function.start, self.last_end, function.op, args)

    def braces(self):
        start = self.take("{").start
        items = []
        while not self.accept("}"):
            begin = self.start
            while self.text in (".", "["):
                if self.text == "[":
                    self.at = self.closing(self.at) + 1
                else:
                    self.take()
                    self.take()
            self.accept("=")
            value = self.braces() if self.text == "{" else self.assignment()
            items.append(Node("item", begin, value.end, "", [value]))
            self.accept(",")
        return Node("braces", start, self.last_end, "", items)

    # --- statements ---

    def block(self):
        start = self.take("{").start
        kids = []
        while not self.accept("}"):
            kids.append(self.statement())
        return Node("block", start, self.last_end, "", kids)

    def condition(self):
        self.take("(")
        node = self.expression()
        self.take(")")
        return node

    def statement(self):
        start, word = self.start, self.text
        if word == "{":
            return self.block()
        if word == ";":
            self.take()
            return Node("empty", start, self.last_end)
        if word in ("if", "while", "switch"):
            self.take()
            kids = [self.condition()]
            end = self.last_end
            kids.append(self.statement())
            if word == "if" and self.accept("else"):
                kids.append(self.statement())
            return Node(word, start, end, "", kids)
        if word == "do":
            self.take()
            body = self.statement()
            begin = self.take("while").start
            cond = self.condition()
            self.take(";")
            return Node("while", begin, self.last_end, "", [cond, body])
        if word == "for":
            return self.for_loop()
        if word in ("case", "default") or (self.toks[self.at].kind == "name" and
                                           self.toks[self.at + 1].text == ":"):
            kids = []
            self.take()
            if word == "case":
                kids.append(self.conditional())
            self.take(":")
            return Node("label", start, self.last_end, word, kids)
        if word in ("return", "break", "continue", "goto"):
            self.take()
            kids = []
            if word == "goto":
                self.take()
            elif word == "return" and self.text != ";":
                kids.append(self.expression())
            self.take(";")
            return Node(word, start, self.last_end, word, kids)
        if word in TYPES:
            return self.declaration()
        kids = [self.expression()]
        self.take(";")
        return Node("expression", start, self.last_end, "", kids)

    def for_loop(self):
        start = self.take("for").start
        self.take("(")
        first = self.statement()
        cond = [] if self.text == ";" else [self.expression()]
        self.take(";")
        step = [] if self.text == ")" else [self.expression()]
        self.take(")")
        end = self.last_end
        return Node("for", start, end, "", [first, cond, step, self.statement()])

    def declaration(self):
        """Of variables; its kids are the initialisers."""
        start = self.start
        kids = []
        while not self.accept(";"):
            if self.text in ("(", "[", "{"):
                self.at = self.closing(self.at) + 1
            elif self.accept("="):
                kids.append(self.braces() if self.text == "{" else self.assignment())
            else:
                self.take()
        return Node("declaration", start, self.last_end, "", kids)


@dataclass
class Piece:
    """A function's body, an initialised variable, or a macro without arguments."""
    kind: str
    name: str
    node: Node
    start: int
    end: int


DEFINE = re.compile(r"^#define[ \t]+(\w+)[ \t]+((?:[^\n\\]|\\\n|\\.)+)", re.M)


def pieces(text):
    """All in a file that can be mutated, and what could not be read as (name, why)."""
    found, unread = [], []
    for match in DEFINE.finditer(text):
        start, end = match.span(2)
        try:
            toks = tokens(text, start, end)
            if not toks or toks[0].text in TYPES or toks[0].text == "{":
                continue
            parser = Parser(toks)
            node = parser.expression()
            parser.take("")
            found.append(Piece("macro", match.group(1), node, match.start(), match.end()))
        except (SyntaxError, IndexError) as why:
            unread.append((match.group(1), str(why)))
    toks = tokens(text)
    parser = Parser(toks)
    begin = 0
    while begin < len(toks):
        at = begin
        name, kind = "", "other"
        while toks[at].text != ";":
            if toks[at].text == "(" and toks[at - 1].kind == "name" and kind == "other" and \
                    toks[at - 1].text not in ("_Static_assert", "__attribute__", "_Alignas"):
                name, kind = toks[at - 1].text, "function"
            if toks[at].text == "=":
                kind = "table"
                name = name or next(t.text for t in reversed(toks[begin:at])
                                    if t.kind == "name" and t.text.islower())
            if toks[at].text in ("(", "[", "{"):
                close = parser.closing(at)
                if toks[at].text == "{" and kind == "function":
                    break
                at = close
            at += 1
        try:
            if toks[at].text == "{":
                parser.at = at
                node = parser.block()
                found.append(Piece("function", name, node, toks[begin].start, node.end))
                at = parser.at - 1
            elif kind == "table":
                parser.at = begin
                node = parser.declaration()
                found.append(Piece("table", name, node, node.start, node.end))
        except SyntaxError as why:
            unread.append((name, str(why)))
            at = parser.closing(at) if toks[at].text == "{" else at
        begin = at + 1
    return found, unread
