// QuickFIX C++ reading the same messages as programs made with it do: its message class with the dictionary, which it needs for the groups, and
// without validation; then symbol, price and size of every entry by getGroup and its field classes, into objects that are kept, and as integers.
// Framing is not its work here: bytes are framed and their CheckSum is verified as in plain C.
#include <quickfix/DataDictionary.h>
#include <quickfix/Message.h>
#include <quickfix/fix44/MarketDataIncrementalRefresh.h>
#include <quickfix/fix44/MarketDataSnapshotFullRefresh.h>

#include <cmath>

#include "decode-peer.h"

namespace {

const FIX::DataDictionary *dictionary;

uint32_t symbol_term(const symbols *symbols, const FIX::Symbol &symbol, int32_t *last) {
  const std::string &text = symbol.getString();
  return static_cast<uint32_t>(lookup(symbols, reinterpret_cast<const uint8_t *>(text.data()), text.size(), last)) * 31;
}

template <class Entry>
uint32_t entries_of(const symbols *symbols, const FIX::Message &message, int32_t last) {
  static Entry entry;
  static FIX::Symbol symbol;
  static FIX::MDEntryPx price;
  static FIX::MDEntrySize size;
  uint32_t checksum = 0;
  const int count = static_cast<int>(message.groupCount(entry.field()));
  for (int i = 1; i <= count; i++) {
    message.getGroup(i, entry);
    if (entry.getFieldIfSet(symbol)) checksum += symbol_term(symbols, symbol, &last);
    if (entry.getFieldIfSet(price)) checksum += static_cast<uint32_t>(std::lround(price.getValue() * 100));
    if (entry.getFieldIfSet(size)) checksum += static_cast<uint32_t>(std::lround(size.getValue())) * 7;
  }
  return checksum;
}

uint32_t decode(const symbols *symbols, const frame *frame) {
  static FIX::Message message;
  static std::string text;
  static FIX::Symbol symbol;
  text.assign(reinterpret_cast<const char *>(frame->start), static_cast<size_t>(frame->end - frame->start));
  message.setString(text, false, dictionary, dictionary);
  if (!message.getFieldIfSet(symbol)) {
    return entries_of<FIX44::MarketDataIncrementalRefresh::NoMDEntries>(symbols, message, -1);
  }
  int32_t last = -1;
  const uint32_t checksum = symbol_term(symbols, symbol, &last);
  return checksum + entries_of<FIX44::MarketDataSnapshotFullRefresh::NoMDEntries>(symbols, message, last);
}

}  // namespace

int main(int argc, char **argv) {
  if (argc != 4) must(nullptr, "usage: quickfix-decode SYMBOLS MESSAGES DICTIONARY");
  const FIX::DataDictionary loaded{std::string(argv[3])};
  dictionary = &loaded;
  return serve_rounds(argv[1], argv[2], decode);
}
