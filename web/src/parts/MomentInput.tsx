import { DateTimePicker, type DateTimePickerProps } from "@mantine/dates";
import dayjs from "dayjs";
import "dayjs/locale/pt-br";
import "dayjs/locale/zh-tw";
import { useTranslation } from "react-i18next";

import { momentFormat } from "./clockTime";

interface Props extends Omit<DateTimePickerProps, "value" | "onChange" | "locale" | "valueFormat" | "ref"> {
  /** Unix milliseconds; null: none. */
  readonly valueMs: number | null;
  readonly onMoment: (ms: number | null) => void;
}

/** Names of months and weekdays in the calendar; other languages have English ones. */
const CALENDARS: Readonly<Record<string, string>> = { pt: "pt-br", "zh-Hant": "zh-tw" };
/** As the picker has its value: local time. */
const FORM = "YYYY-MM-DD HH:mm:ss";

/** A field for a moment in local time, written as all moments are. Whoever uses it imports the styles of its library. */
export function MomentInput({ valueMs, onMoment, withSeconds = false, ...others }: Props) {
  const { i18n } = useTranslation();
  const text = momentFormat(i18n.language, {
    ...{ day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" },
    ...(withSeconds ? { second: "2-digit" } : {}),
  });
  return (
    <DateTimePicker
      {...others}
      withSeconds={withSeconds}
      locale={CALENDARS[i18n.language] ?? "en"}
      value={valueMs === null ? null : dayjs(valueMs).format(FORM)}
      valueFormat={(value) => text.format(dayjs(value).valueOf())}
      onChange={(value) => onMoment(value === null ? null : dayjs(value).valueOf())}
    />
  );
}
